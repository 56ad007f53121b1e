"""What all operators have in common: torch's own checks, torch.compile without a break, and who decides which runs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from hrmlab.kernels import (
    add_rms_norm,
    gated,
    residual_norm,
    sign_sgd,
    sparse_sign,
    stablemax,
    stablemax_cross_entropy,
    swiglu,
    swiglu_halves,
    triton_here,
)

Parts = tuple[Any, ...]


def tensors(gradient: bool = True, device: str = "cpu") -> dict[str, Parts]:
    """Arguments of each public function."""

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, device=device, requires_grad=gradient)

    labels = torch.randint(0, 7, (2, 3), device=device)
    return {
        "add_rms_norm": (draw(2, 3, 8), draw(2, 3, 8), 1e-5),
        "swiglu": (draw(2, 3, 8), draw(2, 3, 8)),
        "swiglu_halves": (draw(2, 3, 8),),
        "stablemax": (draw(2, 3, 7), labels, -100),
    }


PUBLIC: dict[str, Callable[..., Tensor]] = {
    "add_rms_norm": add_rms_norm,
    "swiglu": swiglu,
    "swiglu_halves": swiglu_halves,
    "stablemax": stablemax_cross_entropy,
}
OPERATORS = {
    "add_rms_norm": residual_norm.forward_op,
    "swiglu": gated.forward_op,
    "swiglu_halves": gated.halves_op,
    "stablemax": stablemax.forward_op,
}


@pytest.fixture
def operators_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU the public functions take the operators, which compute with what there is."""
    for module in (gated, residual_norm, sparse_sign, stablemax):
        real = module.fused
        monkeypatch.setattr(module, "fused", lambda *ts, real=real: real(*ts) or torch.compiler.is_compiling())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, while it imports its compiler
@pytest.mark.parametrize("name", OPERATORS)
def test_torch_finds_schema_fakes_and_gradients_in_order(name: str) -> None:
    torch.library.opcheck(OPERATORS[name], tensors()[name])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torch_finds_the_operator_that_writes_in_place_in_order() -> None:
    torch.library.opcheck(sparse_sign.op, (torch.randn(5, 4), torch.tensor([1, 3, 1]), torch.randn(3, 4), 0.1, 0.5))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", OPERATORS)
def test_they_are_compiled_without_a_break_and_so_are_their_gradients(name: str, operators_everywhere: None) -> None:
    torch._dynamo.reset()
    arguments, seen = tensors()[name], []

    def backend(graph: torch.fx.GraphModule, _: list[Tensor]) -> Callable[..., Any]:
        seen.extend(str(node.target) for node in graph.graph.nodes)
        return graph

    came = torch.compile(PUBLIC[name], fullgraph=True, backend=backend)(*arguments)
    assert any(target.startswith("hrmlab.") for target in seen), seen
    leaves = [a for a in arguments if isinstance(a, Tensor) and a.requires_grad]
    gradients = torch.autograd.grad(came.square().sum(), leaves)
    wanted = PUBLIC[name](*arguments)
    torch.testing.assert_close(came, wanted)
    torch.testing.assert_close(gradients, torch.autograd.grad(wanted.square().sum(), leaves))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_decision_between_kernel_and_twin_is_compiled_away(monkeypatch: pytest.MonkeyPatch) -> None:
    torch._dynamo.reset()
    monkeypatch.setattr(triton_here, "AVAILABLE", True)
    x, residual, eps = tensors()["add_rms_norm"]
    came = torch.compile(add_rms_norm, fullgraph=True, backend="eager")(x, residual, eps)
    torch.testing.assert_close(came, add_rms_norm(x, residual, eps))


@pytest.mark.parametrize("name", PUBLIC)
def test_a_gpu_with_triton_gets_the_operator_and_nothing_else_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    class Counting(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            called.append(str(function))
            return function(*args, **(kwargs or {}))

    def operators(available: bool, device: str) -> list[str]:
        called.clear()
        monkeypatch.setattr(triton_here, "AVAILABLE", available)
        monkeypatch.setattr(triton_here, "INTERPRETED", False)
        with FakeTensorMode(), torch.no_grad(), Counting():  # torch's CPU builds abort on gradients of a GPU's fakes
            came = PUBLIC[name](*tensors(gradient=False, device=device)[name])
        assert came.device.type == device
        return [function for function in called if function.startswith("hrmlab.")]

    assert operators(True, "cuda")
    assert not operators(False, "cpu") and not operators(True, "cpu")


def test_what_kernels_cannot_take_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_here, "AVAILABLE", True)
    with FakeTensorMode():
        here = torch.randn(2, 8, device="cuda")
        assert triton_here.fused(here, here.clone())
        assert not triton_here.fused(here.double())
        assert not triton_here.fused(here, here.bfloat16())
        assert not triton_here.fused(here, here.cpu())
        assert not triton_here.fused(torch.randn(1, triton_here.WIDEST + 1, device="cuda"))
        monkeypatch.setattr(triton_here, "AVAILABLE", False)
        assert not triton_here.fused(here)


def test_the_sparse_update_waits_for_nothing_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the kernel no shape depends on the data; the twin's first step does."""
    with FakeTensorMode():
        rows, gradients = torch.randn(9, 4, device="cuda"), torch.randn(3, 4, device="cuda")
        ids = torch.zeros(3, dtype=torch.int64, device="cuda")
        monkeypatch.setattr(triton_here, "AVAILABLE", True)
        sign_sgd(rows, ids, gradients, 0.1, 0.5)
        with pytest.raises(torch._subclasses.fake_tensor.DynamicOutputShapeException):
            sparse_sign.plain(rows, ids, gradients, 0.1, 0.5)


def test_the_kernels_run_in_the_interpreter_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[object] = []
    for module in (gated, residual_norm, stablemax):
        real = module.launch
        monkeypatch.setattr(module, "launch", lambda k, *a, real=real, **c: (launched.append(k), real(k, *a, **c)))
    for name, arguments in tensors().items():
        PUBLIC[name](*arguments).sum().backward()
    assert len(launched) == (2 * len(PUBLIC) if triton_here.INTERPRETED else 0)


@pytest.mark.parametrize(("width", "rows", "cols", "warps"), [(1, 2048, 1, 4), (88, 16, 128, 4), (8192, 1, 8192, 16)])
def test_a_tile_holds_whole_rows(width: int, rows: int, cols: int, warps: int) -> None:
    tile = triton_here.Tile.of(width)
    assert (tile.rows, tile.cols, tile.warps) == (rows, cols, warps)
