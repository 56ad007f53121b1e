"""Kernels as operators under `torch.ops.hrmlab`, with fakes and gradients, so that torch.compile takes them whole.

Registered by torch.library's plain calls: its `custom_op` decorator loads the compiler, two seconds, at the first call.
"""

from collections.abc import Callable
from typing import Any

import torch

LIBRARY = torch.library.Library("hrmlab", "FRAGMENT")


def operator(
    schema: str,
    real: Callable[..., Any],
    fake: Callable[..., Any],
    back: Callable[..., Any] | None = None,
    keep: Callable[..., None] | None = None,
) -> Callable[..., Any]:
    """Define an operator and give it back.

    Args:
        schema: as `name(Tensor x, float eps) -> Tensor`.
        real: computes, on any device.
        fake: makes results of the right shapes and types without computing.
        back: gradients of the inputs, from a context and the gradients of the results.
        keep: saves in the context, from (context, inputs, output), what `back` needs.
    """
    name = schema.partition("(")[0]
    LIBRARY.define(schema, tags=(torch.Tag.pt2_compliant_tag,))
    LIBRARY.impl(name, real, "CompositeExplicitAutograd")
    torch.library.register_fake(f"hrmlab::{name}", fake, lib=LIBRARY)
    if back is not None:
        torch.library.register_autograd(f"hrmlab::{name}", back, setup_context=keep, lib=LIBRARY)
    defined: Callable[..., Any] = getattr(torch.ops.hrmlab, name).default
    return defined
