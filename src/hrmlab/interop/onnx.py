"""One segment as an ONNX graph: states and puzzles in; states, logits and halting values out.

The loop over segments stays with the caller, who stops by the values: `halt > 0`, or whichever rule the run names.
"""

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.errors import CheckpointError, MissingExtraError

AGREEMENT = 1e-4


class Segment(nn.Module):
    """A model's forward pass with tensors only."""

    def __init__(self, model: HRM) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor, identifiers: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        """(B, N), (B,) and the levels' states -> logits (B, N, V), halting values (B, 2) and the new states."""
        levels = self.model.schedule.levels
        batch = Batch(inputs, torch.zeros_like(inputs), identifiers)
        out = self.model(dict(zip(levels, states, strict=True)), batch)
        return (out.logits, out.values, *(out.states[level] for level in levels))


def export(model: HRM, path: Path) -> float:
    """Write the graph and run it beside the model.

    Inputs: `inputs`, `identifiers` (int64) and `state_<level>`; outputs `logits`, `values` and `new_<level>`. The batch
    size is free.

    Returns:
        The largest difference from the model's own numbers.

    Raises:
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
        CheckpointError: the graph cannot be written, or the runtime's numbers differ by more than `AGREEMENT`; nothing
            is then left on disk.
    """
    try:
        import onnxscript  # noqa: F401 - the exporter needs it
        from onnxruntime import InferenceSession  # type: ignore[attr-defined]
    except ImportError as error:
        raise MissingExtraError(f"ONNX needs {error.name}: pip install 'hrm-lab[export]'") from None
    segment, levels = Segment(model.cpu().eval()), model.schedule.levels
    names = ["inputs", "identifiers", *(f"state_{level}" for level in levels)]
    answers = ["logits", "values", *(f"new_{level}" for level in levels)]
    batch = torch.export.Dim("batch")
    temporary = path.with_name(f".{path.name}.new")
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)
            shapes = ({0: batch}, {0: batch}, [{0: batch} for _ in levels])
            program = torch.onnx.export(
                segment, _example(model, 2), input_names=names, output_names=answers, dynamic_shapes=shapes,
                dynamo=True, verbose=False,
            )  # fmt: skip
            assert program is not None
            program.save(str(temporary), external_data=False)
            session = InferenceSession(str(temporary), providers=["CPUExecutionProvider"])
            given = _example(model, 3)
            flat = (*given[:2], *given[2])
            theirs = session.run(None, {name: tensor.numpy() for name, tensor in zip(names, flat, strict=True)})
            ours = segment(*given)
    except Exception as error:  # the exporter and the runtime fail in ways of their own
        temporary.unlink(missing_ok=True)
        why = (str(error).strip().splitlines() or [""])[0]
        raise CheckpointError(
            f"this model cannot be written as an ONNX graph ({type(error).__name__}: {why})"
        ) from None
    worst = max(float(np.abs(a.numpy() - b).max()) for a, b in zip(ours, theirs, strict=True))
    if not worst <= AGREEMENT:
        temporary.unlink()
        raise CheckpointError(f"the ONNX graph differs from the model by {worst:.1e}, wanted {AGREEMENT:g} or less")
    temporary.replace(path)
    return worst


def _example(model: HRM, rows: int) -> tuple[Tensor, Tensor, list[Tensor]]:
    spec, random = model.spec, torch.Generator().manual_seed(rows)
    inputs = torch.randint(spec.vocab_size, (rows, spec.seq_len), generator=random)
    identifiers = torch.randint(spec.num_identifiers, (rows,), generator=random)
    carry = model.empty_carry(Batch(inputs, inputs, identifiers))
    return inputs, identifiers, [carry.states[level] for level in model.schedule.levels]
