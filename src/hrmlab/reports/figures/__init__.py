"""Figures of what probes measured: the data stand beside them, nothing is computed here but positions on paper."""

from importlib import import_module
from pkgutil import iter_modules

from hrmlab.reports.figures.base import CHARTS, Chart, chart, svg

for _module in iter_modules(__path__, f"{__name__}."):  # every chart registers itself
    import_module(_module.name)

__all__ = ["CHARTS", "Chart", "chart", "svg"]
