"""One of our modules behind the reference's names."""

from collections.abc import Callable, Mapping
from typing import Self

import torch
from torch import Tensor, nn

from hrmlab.interop.names import pick


class Renamed(nn.Module):
    """Shows the tensors of a core module under other names; has none of its own.

    `state_dict`, `load_state_dict`, `named_parameters` and optimisers see the given names, dots and all. The core is no
    submodule, so that nothing is seen twice.

    Args:
        places: by the name to give, the core's own name.
    """

    core: nn.Module

    def __init__(self, core: nn.Module, places: Mapping[str, str]) -> None:
        super().__init__()
        self.__dict__["core"] = core
        self._places = dict(places)
        self._tie()
        self.register_load_state_dict_post_hook(_taken_over)  # type: ignore[no-untyped-call]

    def _tie(self) -> None:
        for theirs, ours in self._places.items():
            *path, leaf = theirs.split(".")
            home: nn.Module = self
            for step in path:
                if step not in home._modules:
                    home.add_module(step, nn.Module())
                home = home.get_submodule(step)
            tensor = pick(self.core, ours)
            if isinstance(tensor, nn.Parameter):
                home.register_parameter(leaf, tensor)
            else:
                home.register_buffer(leaf, tensor)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Moves and casts go to the core, whose tensors are then shown anew."""
        self.core._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._tie()
        return self

    def _take_over(self) -> None:
        """What `load_state_dict(assign=True)` put in the place of our tensors is copied into them."""
        for theirs, ours in self._places.items():
            shown, own = pick(self, theirs), pick(self.core, ours)
            if shown is not own:
                with torch.no_grad():
                    own.copy_(shown)
        self._tie()

    def train(self, mode: bool = True) -> Self:
        self.core.train(mode)
        return super().train(mode)


def _taken_over(module: nn.Module, _: object) -> None:
    assert isinstance(module, Renamed)
    module._take_over()
