"""What writing a report gives."""

from dataclasses import dataclass

from hrmlab.results.base import Result


@dataclass(frozen=True)
class ReportFiles(Result):
    """A report on disk.

    html: one page that needs nothing else. json: everything that it shows, as data, and the probes' whole tables.
    findings: how many of each severity. reused: the diagnosis was made before, of the same weights.
    puzzles: whose whole course can be looked at. bytes: of the page.
    left_out: figures that the page has no room for, or that need a package that is not installed.
    """

    html: str
    json: str
    findings: dict[str, int]
    reused: bool
    puzzles: int
    bytes: int
    left_out: list[str]
    seconds: float
