"""The reasons for an attention implementation agree with torch on the CPU, and with its rules on machines made up."""

from dataclasses import replace
from itertools import product

import pytest
import torch

from hrmlab.attention.backends import NAMES, Backend, Machine, Request, explain, torch_chooses

A100 = Machine("cuda", (8, 0), cudnn=91002, triton=True)
H100 = Machine("cuda", (9, 0), cudnn=91501, triton=True)
T4 = Machine("cuda", (7, 5), cudnn=91501, triton=True)
HRM = Request(positions=82, head_width=64, dtype=torch.bfloat16)


def chosen(request: Request, machine: Machine) -> Backend:
    (one,) = [backend for backend in explain(request, machine) if backend.chosen]
    return one


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("mask", ["none", "booleans", "learned"])
@pytest.mark.parametrize("shape", [(2, 4, 9, 16), (1, 1, 1, 3), (2, 4, 0, 16)])
def test_on_the_cpu_torch_agrees(dtype: torch.dtype, mask: str, shape: tuple[int, ...]) -> None:
    query = torch.randn(shape, dtype=dtype)
    given = {
        "none": None,
        "booleans": torch.ones(shape[2], shape[2], dtype=torch.bool),
        "learned": torch.zeros(shape[2], shape[2], dtype=dtype, requires_grad=True),
    }[mask]
    machine = Machine.of(query.device)
    assert chosen(Request.of(query, given), machine).name == torch_chooses(query, given)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("dtype", "masked"), list(product([torch.float32, torch.bfloat16], [False, True])))
def test_on_a_gpu_torch_agrees(dtype: torch.dtype, masked: bool) -> None:
    query = torch.randn(2, 4, 82, 64, dtype=dtype, device="cuda")
    mask = torch.ones(82, 82, dtype=torch.bool, device="cuda") if masked else None
    assert chosen(Request.of(query, mask), Machine.of(query.device)).name == torch_chooses(query, mask)


@pytest.mark.parametrize(
    ("request_", "machine", "name"),
    [
        (HRM, A100, "flash"),
        (HRM, H100, "cudnn"),
        (HRM, replace(H100, cudnn=91500), "flash"),
        (HRM, T4, "math"),
        (replace(HRM, dtype=torch.float16), T4, "memory_efficient"),
        (replace(HRM, dtype=torch.float32), A100, "memory_efficient"),
        (replace(HRM, dtype=torch.float64), H100, "math"),
        (replace(HRM, masked=True), A100, "memory_efficient"),
        (replace(HRM, head_width=20, masked=True), A100, "math"),
        (replace(HRM, head_width=512), A100, "memory_efficient"),
        (HRM, replace(H100, flash_attn="FA4"), "cudnn"),
        (HRM, replace(A100, flash_attn="FA4", active="FA4"), "flash_attn"),
        (replace(HRM, masked=True), replace(A100, flash_attn="FA4", active="FA4"), "memory_efficient"),
    ],
)
def test_on_machines_made_up_the_rules_are_kept(request_: Request, machine: Machine, name: str) -> None:
    assert chosen(request_, machine).name == name


def test_every_implementation_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    for machine in (A100, H100, T4, Machine("cpu")):
        found = explain(HRM, machine)
        assert sorted(backend.name for backend in found) == sorted({*NAMES.values(), "flash_attn", "flex"})
        assert all(backend.why for backend in found) and all(b.available for b in found if b.chosen)
    reasons = {backend.name: backend.why for backend in explain(replace(HRM, masked=True), A100)}
    assert reasons["flash"] == "takes no mask" and "memory_efficient comes first" in reasons["math"]
    installed = {b.name: b.why for b in explain(HRM, replace(A100, flash_attn="FA4"))}
    assert "activate_flash_attention_impl('FA4')" in installed["flash_attn"]


def test_flex_comes_first_where_it_can_skip_blocks() -> None:
    maze = replace(HRM, positions=900, masked=True, local=True)
    assert chosen(maze, H100).name == "flex"
    hindered = {
        "needs a GPU and triton": (maze, Machine("cpu")),
        "82 positions are one block of 128": (replace(HRM, masked=True, local=True), H100),
        "the mask is a tensor": (replace(maze, local=False), H100),
    }
    for reason, (request, machine) in hindered.items():
        (flex,) = [backend for backend in explain(request, machine) if backend.name == "flex"]
        assert not flex.chosen and reason in flex.why


def test_torch_can_be_told_to_leave_cudnn_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_CUDNN_SDPA_DEPRIORITIZED", "1")
    assert chosen(HRM, H100).name == "flash"
