"""The presets by name. Light: what a preset needs is imported when it is made, so that listing costs nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from hrmlab.errors import ConfigError, unknown

if TYPE_CHECKING:
    from hrmlab.training.config import RunConfig

_HRM, _TRM = "Wang et al. 2025, arXiv 2506.21734", "Jolicoeur-Martineau 2025, arXiv 2510.04871"


@dataclass(frozen=True)
class Preset:
    """A complete named run.

    maker: module and function that give its `RunConfig`.
    data: what makes the data set that it reads, after `hrm data build NAME --out DIR`; empty where it reads none.
    """

    name: str
    summary: str
    source: str
    maker: str
    data: str = ""

    def make(self) -> "RunConfig":
        """The configuration, ready to be overridden."""
        module, _, function = self.maker.partition(":")
        make: Callable[[str], RunConfig] = getattr(import_module(f"hrmlab.presets.{module}"), function)
        return make(self.name)


_EXTREME = "--hub sapientinc/sudoku-extreme --train 1000 --augmentations 1000"
_MAZE_HARD = "--hub sapientinc/maze-30x30-hard-1k"
_ARC = "augmentations=1000"


def _preset(module: str, name: str, summary: str, source: str = "hrm-lab", data: str = "") -> Preset:
    return Preset(name, summary, source, f"{module}:{name.replace('-', '_')}", data)


_ALL = (
    _preset("sudoku", "sudoku-4x4", "4x4 Sudoku, half a minute on a CPU"),
    _preset("sudoku", "sudoku-6x6", "6x6 Sudoku, minimal puzzles, two minutes on a CPU"),
    _preset("sudoku", "sudoku-9x9", "9x9 Sudoku, minimal puzzles, ten minutes on a CPU"),
    _preset("sudoku", "sudoku-9x9-easy", "9x9 Sudoku of 40 givens, five minutes on a CPU"),
    _preset("sudoku", "sudoku-9x9-hard", "9x9 Sudoku rated 32 guesses or more, two hours on a CPU"),
    _preset("maze", "maze-9x9", "mazes of 9x9 rooms (19x19 cells), twenty minutes on a CPU"),
    _preset("maze", "maze-30x30-hard", "30x30 cells, paths over 110 steps, twenty minutes on a CPU"),
    _preset("sudoku", "hrm-sudoku-4x4", "HRM proper (two networks, Q-learning halting) on 4x4 Sudoku", _HRM),
    _preset("sudoku", "hrm-sudoku-6x6", "HRM proper (two networks, Q-learning halting) on 6x6 Sudoku", _HRM),
    _preset("reference", "hrm-sudoku-extreme", "the paper's 27 M parameters on Sudoku-Extreme, GPU", _HRM, _EXTREME),
    _preset("reference", "hrm-maze-hard", "the paper's 27 M parameters on Maze 30x30-Hard, GPU", _HRM, _MAZE_HARD),
    _preset("reference", "trm-sudoku-extreme", "TRM with attention on Sudoku-Extreme, GPU", _TRM, _EXTREME),
    _preset("reference", "trm-mlp-sudoku-extreme", "TRM without attention on Sudoku-Extreme, GPU", _TRM, _EXTREME),
    _preset("reference", "trm-maze-hard", "TRM with attention on Maze 30x30-Hard, GPU", _TRM, _MAZE_HARD),
    _preset("arc", "hrm-arc-1", "the paper's 27 M parameters on ARC-AGI-1, GPU", _HRM, _ARC),
    _preset("arc", "hrm-arc-2", "the paper's 27 M parameters on ARC-AGI-2, GPU", _HRM, _ARC),
    _preset("arc", "trm-arc-1", "TRM with attention on ARC-AGI-1, GPU", _TRM, _ARC),
    _preset("arc", "trm-arc-2", "TRM with attention on ARC-AGI-2, GPU", _TRM, _ARC),
)
PRESETS = {entry.name: entry for entry in _ALL}


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: no such preset; the message gives the nearest and all that exist.
    """
    if name not in PRESETS:
        raise ConfigError(unknown("preset", name, PRESETS))
    return PRESETS[name]
