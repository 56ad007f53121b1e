"""Complete named runs: `preset("sudoku-9x9").make()` gives a `RunConfig`."""

from hrmlab.presets.table import PRESETS, Preset, preset

__all__ = ["PRESETS", "Preset", "preset"]
