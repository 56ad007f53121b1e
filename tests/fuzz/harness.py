"""What every fuzz test asks: bad input ends as a result or as an error to act on, and nothing else happens.

`HRM_FUZZ=50000 pytest tests/fuzz` tries that many cases a surface, new ones each time.
"""

import faulthandler
import os
import re
import resource
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

from fuzz.watch import watched
from hypothesis import HealthCheck, settings

from hrmlab.errors import HrmLabError

T = TypeVar("T")

CASES = int(os.environ.get("HRM_FUZZ", "0"))
USUAL = 500
SECONDS = 3.0
"""Of processor time that a case may take; ten times as many by the clock, for what signals do not reach."""
MEMORY = 512 * 2**20
"""Bytes of address space that a case may take."""
LONGEST = 4000
"""Characters of a line that somebody reads."""
RAW = re.compile(
    r"Traceback|object has no attribute|NoneType|<class |unhashable|not subscriptable|not iterable|positional argument"
    r"|unexpected keyword|object is not|not supported between|codec can't|argument must be|list index out of"
)
"""Of Python's own errors, which say nothing to whoever wrote the file."""


class TooLong(BaseException):
    """No Exception, so that code which catches whatever comes does not catch this."""


def fuzzed(share: float = 1.0) -> settings:
    """The settings of a fuzz test. share: of the cases, less than 1 where each is slow."""
    cases = max(1, round((CASES or USUAL) * share))
    return settings(
        max_examples=cases,
        derandomize=not CASES,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


def judge(call: Callable[[], T], home: Path) -> T | None:
    """What a reader makes of its input, None where it refuses it well.

    Args:
        call: reads something from outside, written before; any other end than a result or an `HrmLabError` fails.
        home: the only folder in which it may write.
    """
    with watched(home), _limited_time(), _limited_memory(), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return call()
        except HrmLabError as refusal:
            complaint = _unreadable(str(refusal))
            message = repr(str(refusal)[:LONGEST])
    assert complaint is None, f"{complaint}: {message}"
    return None


def _unreadable(message: str) -> str | None:
    """Why a message helps nobody, or None. A list of faults has a line for each, indented below the first."""
    first, *listed = message.split("\n")
    if any(not line.startswith("  ") for line in listed):
        return "more than one line"
    for line in (first, *listed):
        if not line.isprintable():
            return "control signs"
        if len(line) > LONGEST:
            return "too long"
    if len(first.split()) < 4:
        return "no sentence"
    return "Python's own words" if RAW.search(message) else None


@contextmanager
def _limited_time() -> Iterator[None]:
    """Processor time, so that a busy machine is no hang; the timer of the clock is that of pytest's own time limit."""

    def end(number: int, frame: FrameType | None) -> None:
        raise TooLong(f"a case took more than {SECONDS} s")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    faulthandler.dump_traceback_later(10 * SECONDS, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _limited_memory() -> Iterator[None]:
    """What is asked for beyond the limit is refused by the system: a MemoryError, or torch's RuntimeError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
