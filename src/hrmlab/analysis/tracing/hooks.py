"""Functions called on activations, which may replace them; always removed again, whatever happens."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from torch import Tensor, nn

from hrmlab.analysis.tracing.address import Address, Pattern, clocks, no_match
from hrmlab.analysis.tracing.sites import Point, derived, points
from hrmlab.core.model import HRM, Output
from hrmlab.errors import ConfigError

WHOLE = ("input", "logits", "values")
"""Sites of a segment as a whole: the embedded puzzle, the answer's logits, the halting values."""


class Hook(Protocol):
    """Sees a tensor at an address; may give another in its place (of the same shape), or None to leave it."""

    def __call__(self, tensor: Tensor, /, *, at: Address) -> Tensor | None: ...


Hooks = Sequence[tuple[str, Hook]]
"""Patterns (`tracing.address.Pattern`) and what to call where they match."""


@dataclass
class _Watch:
    """What is watched in one model, and where its run stands: the segment and the row now computed.

    inside: whether a segment is under way; looks ahead (`HRM.look_ahead`) are none and pass unseen.
    """

    model: HRM
    forward: list[tuple[Pattern, Hook]]
    backward: list[tuple[Pattern, Hook]]
    segments: int
    segment: int = -1
    row: int = -1
    inside: bool = False
    calls: dict[tuple[int, str], int] = field(default_factory=dict)
    handles: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows, self.clocks = self.model.schedule.updates, clocks(self.model.schedule)

    def wanted(self, site: str) -> bool:
        return any(pattern.fits_site(site) for pattern, _ in (*self.forward, *self.backward))

    def replaced(self, tensor: Tensor, site: str) -> Tensor:
        """The tensor, or what the hooks put in its place."""
        address = self.address(site)
        for pattern, hook in self.forward:
            if pattern.fits(address, self.segments):
                new = hook(tensor, at=address)
                if new is not None:
                    if new.shape != tensor.shape:
                        raise ConfigError(
                            f"a hook at {address} gave shape {list(new.shape)}; wanted {list(tensor.shape)}"
                        )
                    tensor = new.to(tensor.dtype)
        for pattern, hook in self.backward:
            if tensor.requires_grad and pattern.fits(address, self.segments):
                handle: Any = tensor.register_hook(_on_gradient(hook, address))  # type: ignore[no-untyped-call]
                self.handles.append(handle)
        return tensor

    def address(self, site: str) -> Address:
        if site in WHOLE:
            return Address(self.segment, -1, (), site)
        return Address(self.segment, self.row, self.clocks[self.row], site)

    def site(self, point: Point) -> str:
        """Level and place; a module that one row calls again gets `@1`, `@2`, ... behind it."""
        name = f"{self.rows[self.row].target}.{point.site}"
        key = (self.row, name)
        again = self.calls.get(key, 0)
        self.calls[key] = again + 1
        return f"{name}@{again}" if again else name


def _on_gradient(hook: Hook, address: Address) -> Callable[[Tensor], Tensor | None]:
    return lambda gradient: hook(gradient, at=address)


@contextmanager
def hooks(
    model: HRM, *, forward: Hooks = (), backward: Hooks = (), segments: int = 1, first: int = 0
) -> Iterator[None]:
    """Call functions on a model's activations, and on the gradients of the loss by them, while the context lasts.

    Each call of the model is the next segment. A forward hook may replace what it sees, but for `q`, `k`, `v` and
    `pattern`, which are computed beside the run (to replace what heads give, take `attn.heads`). The answer of the
    model, its parameters and what it returns stay as they are. Compiled engines run no hooks: give the model itself.

    Args:
        segments: how many are to come, for patterns that count from the end.
        first: number of the first of them.

    Raises:
        ConfigError: a pattern matches no activation of this model; the nearest are named.
    """
    watch = _Watch(model, _parsed(forward), _parsed(backward), segments, first - 1)
    with ExitStack() as stack:
        stack.callback(lambda: [handle.remove() for handle in watch.handles])
        known = _install(watch)
        for pattern, _ in (*watch.forward, *watch.backward):
            if not any(pattern.fits_site(site) for site in known):
                raise no_match(pattern, known)
        yield


def _parsed(given: Hooks) -> list[tuple[Pattern, Hook]]:
    return [(Pattern.parse(text), hook) for text, hook in given]


def _install(watch: _Watch) -> list[str]:
    """Hook what is wanted; all sites there are."""
    model, keep = watch.model, watch.handles
    keep.append(model.register_forward_pre_hook(lambda *_: _begin(watch)))
    keep.append(model.register_forward_hook(lambda _m, _a, output: _end(watch, output)))
    if watch.wanted("input"):
        keep.append(model.embedding.register_forward_hook(lambda _m, _a, output: _embedded(watch, output)))
    known = list(WHOLE)
    for name, network in model.networks.items():
        keep.append(network.register_forward_pre_hook(lambda *_: _next_row(watch)))
        targets = dict.fromkeys(row.target for row in watch.rows if row.network == name)
        for point in points(network):  # type: ignore[arg-type]
            names = [f"{target}.{point.site}" for target in targets]
            known += names
            if any(watch.wanted(site) for site in names):
                keep.append(_hook(watch, point))
    return known


def _hook(watch: _Watch, point: Point) -> Any:
    if point.derived:

        def beside(module: nn.Module, args: tuple[Any, ...]) -> None:
            site = watch.site(point) if watch.inside else ""
            if site and watch.wanted(site):
                watch.replaced(derived(point.derived, module, args[0], args[1]), site)

        return point.module.register_forward_pre_hook(beside)
    if point.side == "in":

        def before(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
            if not watch.inside:
                return None
            return (watch.replaced(args[0], watch.site(point)), *args[1:])

        return point.module.register_forward_pre_hook(before)

    def after(_module: nn.Module, _args: tuple[Any, ...], output: Tensor) -> Tensor | None:
        return watch.replaced(output, watch.site(point)) if watch.inside else None

    return point.module.register_forward_hook(after)


def _begin(watch: _Watch) -> None:
    watch.segment += 1
    watch.row = -1
    watch.inside = True
    watch.calls.clear()


def _next_row(watch: _Watch) -> None:
    watch.row += 1


def _embedded(watch: _Watch, inputs: Tensor) -> Tensor | None:
    return watch.replaced(inputs, "input") if watch.inside else None


def _end(watch: _Watch, output: Output) -> Output | None:
    watch.inside = False
    if not any(watch.wanted(site) for site in ("logits", "values")):
        return None
    return replace(
        output,
        logits=watch.replaced(output.logits, "logits"),
        values=watch.replaced(output.values, "values"),
    )
