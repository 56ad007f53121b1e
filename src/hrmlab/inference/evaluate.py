"""Accuracy of a model on held-out puzzles, segment by segment."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from hrmlab.core.act import segment
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.halting import HaltingConfig
from hrmlab.tasks.base import IGNORE, Examples, Tokens


@dataclass(frozen=True)
class Answers:
    """What a model answered.

    tokens: the grid at each puzzle's halt, (n, N).
    segments: segments until the halt, (n,).
    confidence: the halting head's probability of a right answer at the halt, (n,).
    right_by_segment: share of puzzles wholly right after each segment, with those halted held, (max_segments,).
    """

    tokens: Tokens
    segments: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    right_by_segment: list[float]


@torch.inference_mode()
def answer(model: HRM, examples: Examples, halting: HaltingConfig, batch_size: int = 128) -> Answers:
    """Run every puzzle until its halt; slots of one batch run side by side until all are done."""
    parts = [
        _answer_batch(model, examples, slice(start, start + batch_size), halting)
        for start in range(0, len(examples), batch_size)
    ]
    right = np.concatenate([part[3] for part in parts], axis=1)
    return Answers(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
        [float(share) for share in right.mean(axis=1)],
    )


def _answer_batch(
    model: HRM, examples: Examples, rows: slice, halting: HaltingConfig
) -> tuple[Tokens, npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    device = model.initial.device
    arrays = (examples.inputs[rows], examples.labels[rows], examples.identifiers[rows])
    batch = Batch(*(torch.from_numpy(np.asarray(a).astype(np.int64)).to(device) for a in arrays))
    carry = model.empty_carry(batch)
    carry = carry.refill(model.initial_states(), batch, torch.ones_like(carry.steps))
    done = torch.zeros(len(batch), dtype=torch.bool, device=device)
    tokens = torch.zeros_like(batch.inputs)
    segments = torch.zeros_like(carry.steps)
    confidence = torch.zeros(len(batch), device=device)
    scored, right = batch.labels != IGNORE, []
    for number in range(halting.max_segments):
        step = segment(model, carry, halting, number=number)
        carry = step.carry
        tokens = torch.where(done[:, None], tokens, step.output.logits.argmax(-1))
        segments = torch.where(done, segments, carry.steps)
        confidence = torch.where(done, confidence, step.output.values[:, 0].sigmoid())
        done = done | carry.halted
        right.append((((tokens == batch.labels) | ~scored).all(-1)).cpu().numpy())
        if bool(done.all()):
            right += [right[-1]] * (halting.max_segments - number - 1)
            break
    return (
        tokens.cpu().numpy().astype(np.int32),
        segments.cpu().numpy().astype(np.int64),
        confidence.cpu().numpy().astype(np.float64),
        np.stack(right),
    )
