"""SignSGD with decoupled weight decay, on the touched rows of the sparse puzzle table."""

import torch
from torch import Tensor


@torch.no_grad()
def sign_sgd(rows: Tensor, ids: Tensor, gradients: Tensor, lr: float, weight_decay: float) -> None:
    """For each distinct id: row <- row (1 - lr wd) - lr sign(sum of its gradients). Other rows are not touched.

    Args:
        rows: the table, (identifiers, width), changed in place.
        ids: (B,), repeats allowed.
        gradients: (B, width), of the looked-up rows.
    """
    distinct, where = torch.unique(ids, return_inverse=True)
    summed = gradients.new_zeros(len(distinct), gradients.shape[-1]).index_add_(0, where, gradients)
    rows[distinct] = rows[distinct] * (1 - lr * weight_decay) - lr * summed.sign()
