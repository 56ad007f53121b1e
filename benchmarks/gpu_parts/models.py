"""Attention, capture in CUDA graphs, and training steps of whole models."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from unittest import mock

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from gpu_parts.table import Clock, Row
from gpu_parts.timing import Run, graphed, interleaved
from hrmlab.attention.backends import NAMES, Machine, Request, explain, torch_chooses
from hrmlab.core.act import Step, objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.compiling import Compiled
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.kernels import triton_here
from hrmlab.presets import preset
from hrmlab.training.config import RunConfig
from hrmlab.training.optimisers import build_optimisers

DEVICE = torch.device("cuda", 0)
BATCH = 64
COMPILING = 100.0
"""Seconds that must be left before a whole model is compiled."""


def twins() -> AbstractContextManager[object]:
    """Within it the parts compute with the plain twins."""
    return mock.patch.object(triton_here, "AVAILABLE", False)


def attention(clock: Clock) -> Iterator[Row]:
    """Whether the reasons given agree with torch's choice, and what each implementation takes."""
    here = Machine.of(DEVICE)
    for positions, dtype, masked in (
        (97, torch.bfloat16, False),
        (916, torch.bfloat16, False),
        (916, torch.bfloat16, True),
        (97, torch.float32, False),
    ):
        shape = (BATCH, 8, positions, 64)
        query = torch.randn(shape, device=DEVICE).to(dtype).requires_grad_()
        mask = torch.ones(positions, positions, dtype=torch.bool, device=DEVICE) if masked else None
        found = explain(Request.of(query, mask), here)
        chosen, torchs = next(b for b in found if b.chosen), torch_chooses(query, mask)
        label = f"{positions} positions, {str(dtype).removeprefix('torch.')}{', mask' if masked else ''}"
        agrees = chosen.name == torchs or (chosen.name, torchs) == ("flash_attn", "flash")
        yield Row(label, ok=agrees, note=f"{chosen.name} expected: {chosen.why}; torch takes {torchs}")
        runs = {NAMES[one]: _attending(query, mask, one) for one in NAMES if _runs(query, mask, one)}
        for name, (median, spread) in interleaved(runs).items():
            yield Row(f"{label}, {name}", median, "ms", note=f"forward and backward, spread {spread:.0%}")


def _attending(query: Tensor, mask: Tensor | None, backend: SDPBackend) -> Run:
    def run() -> None:
        with sdpa_kernel(backend):
            out = torch.nn.functional.scaled_dot_product_attention(query, query, query, attn_mask=mask)
        torch.autograd.grad(out, query, torch.ones_like(out))

    return run


def _runs(query: Tensor, mask: Tensor | None, backend: SDPBackend) -> bool:
    try:
        _attending(query, mask, backend)()
    except RuntimeError:  # torch's way of saying that an implementation does not take these tensors
        return False
    return True


def capture(clock: Clock) -> Iterator[Row]:
    """A segment waits for nothing, and replayed from a CUDA graph it gives what it gives without."""
    for name in ("hrm-sudoku-extreme", "trm-sudoku-extreme", "sudoku-9x9"):
        config, model, carry = at_work(name, width=128)
        step(config, model, carry)  # compiles the kernels
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            step(config, model, carry)
            yield Row(f"{name}: a training step waits for nothing", ok=True)
        except RuntimeError as error:
            yield Row(f"{name}: a training step waits for nothing", ok=False, note=str(error).splitlines()[0])
        finally:
            torch.cuda.set_sync_debug_mode("default")
        with torch.no_grad():
            wanted = segment(model, carry, config.evaluation).output.logits
            kept: list[Step] = []
            graph = graphed(lambda c=config, m=model, k=carry, s=kept: s.append(segment(m, k, c.evaluation)), calls=1)
            graph.replay()
            torch.cuda.synchronize()
            off = float((kept[-1].output.logits - wanted).abs().max())
            allowed = 0.02 * float(wanted.abs().max())  # products may be split otherwise on another stream
        yield Row(f"{name}: captured segment", off, "largest difference", off <= allowed)


def model(clock: Clock) -> Iterator[Row]:
    """The published HRM: a training step eager and compiled, with kernels and with twins; share of the peak; memory."""
    peak = _product_peak()
    yield Row("bfloat16 product of 8192", peak / 1e12, "TFLOP/s")
    config, hrm, carry = at_work("hrm-sudoku-extreme")
    optimisers = build_optimisers(config.training.optimiser, hrm)
    with FlopCounterMode(display=False) as counter, twins():
        step(config, Eager(hrm), carry)
    work = counter.get_total_flops()
    ways: dict[str, tuple[Eager, bool]] = {"eager, twins": (Eager(hrm), False), "eager, kernels": (Eager(hrm), True)}
    for label, with_kernels in (("compiled, twins", False), ("compiled, kernels", True)):
        if clock.left() < COMPILING:
            yield Row(label, note="out of time")
            continue
        ways[label], began = (Compiled(hrm), with_kernels), time.monotonic()
        _stepping(config, *ways[label], carry, optimisers)()
        torch.cuda.synchronize()
        yield Row(f"{label}: compiling", time.monotonic() - began, "s")
    runs = {label: _stepping(config, *way, carry, optimisers) for label, way in ways.items()}
    for label, run in runs.items():
        torch.cuda.reset_peak_memory_stats(DEVICE)
        run()
        torch.cuda.synchronize()
        yield Row(f"{label}: memory", torch.cuda.max_memory_allocated(DEVICE) / 2**20, "MiB")
    for label, (median, spread) in interleaved(runs, rounds=10).items():
        share = work / (median / 1e3) / peak
        note = f"batch {BATCH}, {share:.1%} of the product's peak, spread {spread:.0%}"
        yield Row(f"{label}: training step", median, "ms", note=note)


def _stepping(
    config: RunConfig, forward: Eager, kernels: bool, carry: Carry, optimisers: list[torch.optim.Optimizer]
) -> Run:
    def run() -> None:
        with nullcontext() if kernels else twins():
            step(config, forward, carry)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()

    return run


def at_work(name: str, width: int | None = None) -> tuple[RunConfig, HRM, Carry]:
    """A preset's model on the GPU and a carry of random puzzles."""
    config = preset(name).make()
    size = config.model.size if width is None else replace(config.model.size, width=width)
    spec = replace(config.task.spec(), num_identifiers=1000)
    hrm = HRM(replace(config.model, size=size), spec).to(DEVICE)
    inputs, labels = (torch.randint(1, spec.vocab_size, (BATCH, spec.seq_len), device=DEVICE) for _ in range(2))
    batch = Batch(inputs, labels, torch.randint(0, 1000, (BATCH,), device=DEVICE))
    carry = hrm.empty_carry(batch)
    return config, hrm, carry.refill(hrm.initial_states(), batch, torch.ones_like(carry.steps))


def step(config: RunConfig, forward: Eager, carry: Carry) -> None:
    """Segment, loss and gradients, the halting target's look ahead among them."""
    goal = objective(segment(forward, carry, config.halting), config.loss, config.halting)
    (goal.total / BATCH).backward()


def _product_peak() -> float:
    """FLOP/s of a large bfloat16 matrix product."""
    one, two = (torch.randn(8192, 8192, device=DEVICE, dtype=torch.bfloat16) for _ in range(2))
    median, _ = interleaved({"product": lambda: one @ two})["product"]
    return float(2 * 8192**3 / (median / 1e3))
