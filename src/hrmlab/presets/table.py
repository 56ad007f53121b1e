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


def _table(*rows: tuple[str, str, str, str] | tuple[str, str, str, str, str]) -> dict[str, Preset]:
    return {row[0]: Preset(row[0], row[3], row[2], row[1], *row[4:]) for row in rows}


PRESETS = _table(
    ("sudoku-4x4", "sudoku:sudoku_4x4", "hrm-lab", "4x4 Sudoku, half a minute on a CPU"),
    ("sudoku-6x6", "sudoku:sudoku_6x6", "hrm-lab", "6x6 Sudoku, minimal puzzles, two minutes on a CPU"),
    ("sudoku-9x9", "sudoku:sudoku_9x9", "hrm-lab", "9x9 Sudoku, minimal puzzles, ten minutes on a CPU"),
    ("sudoku-9x9-easy", "sudoku:sudoku_9x9_easy", "hrm-lab", "9x9 Sudoku of 40 givens, five minutes on a CPU"),
    ("sudoku-9x9-hard", "sudoku:sudoku_9x9_hard", "hrm-lab", "9x9 Sudoku rated 32 guesses or more, two hours on a CPU"),
    ("maze-9x9", "maze:maze_9x9", "hrm-lab", "mazes of 9x9 rooms (19x19 cells), twenty minutes on a CPU"),
    (
        "maze-30x30-hard",
        "maze:maze_30x30_hard",
        "hrm-lab",
        "30x30 cells, paths over 110 steps, twenty minutes on a CPU",
    ),
    ("hrm-sudoku-4x4", "sudoku:hrm_sudoku_4x4", _HRM, "HRM proper (two networks, Q-learning halting) on 4x4 Sudoku"),
    ("hrm-sudoku-6x6", "sudoku:hrm_sudoku_6x6", _HRM, "HRM proper (two networks, Q-learning halting) on 6x6 Sudoku"),
    (
        "hrm-sudoku-extreme",
        "reference:hrm_sudoku_extreme",
        _HRM,
        "the paper's 27 M parameters on Sudoku-Extreme, GPU",
        _EXTREME,
    ),
    (
        "hrm-maze-hard",
        "reference:hrm_maze_hard",
        _HRM,
        "the paper's 27 M parameters on Maze 30x30-Hard, GPU",
        _MAZE_HARD,
    ),
    ("trm-sudoku-extreme", "reference:trm_sudoku_extreme", _TRM, "TRM with attention on Sudoku-Extreme, GPU", _EXTREME),
    (
        "trm-mlp-sudoku-extreme",
        "reference:trm_mlp_sudoku_extreme",
        _TRM,
        "TRM without attention on Sudoku-Extreme, GPU",
    ),
    ("trm-maze-hard", "reference:trm_maze_hard", _TRM, "TRM with attention on Maze 30x30-Hard, GPU", _MAZE_HARD),
)


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: no such preset; the message gives the nearest and all that exist.
    """
    if name not in PRESETS:
        raise ConfigError(unknown("preset", name, PRESETS))
    return PRESETS[name]
