"""Measurements on disk: a history of JSON files, a roofline figure, comparisons with earlier ones."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hrmlab.errors import DataError
from hrmlab.reading import read_json
from hrmlab.reports.files import write_texts
from hrmlab.results import Bench

WORSE = 0.9
"""An engine regressed if its share of the peak fell below this part of what it was."""


def write_bench(result: Bench, folder: Path) -> Bench:
    """Write `NAME-DATE.json` and, where matplotlib is installed, `NAME-DATE.svg`; the result with their places.

    Raises:
        DataError: the folder cannot be written.
    """
    stem = f"{result.name}-{result.protocol['when'].translate({ord(c): None for c in '-:+'})[:15]}"
    texts = {}
    if (figure := _roofline(result)) is not None:
        texts[f"{stem}.svg"] = figure
    result = replace(result, files=[str(folder / name) for name in (f"{stem}.json", *texts)])
    texts[f"{stem}.json"] = json.dumps(result.plain(), indent=1) + "\n"
    write_texts(folder, texts)
    return result


def regressions(file: str | Path) -> Callable[[Bench], Bench]:
    """What compares a result with an earlier file: the result with its regressions filled in.

    Shares of the measured peak are compared, so that another machine or a slower clock is no regression. Of a noisy
    result nothing is said.

    Raises:
        DataError: the file is no measurement.
    """
    try:
        earlier = read_json(Path(file))
        before = {(engine["name"], engine["mode"]): float(engine["flops_share"]) for engine in earlier["engines"]}
        about = (earlier["name"], earlier["protocol"]["batch_size"], earlier["protocol"]["trained"])
        believed = not earlier["noisy"]
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}; wanted a file that `hrm bench --out` wrote") from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{file} is no measurement; wanted a file that `hrm bench --out` wrote") from None

    def compare(result: Bench) -> Bench:
        now = (result.name, result.protocol["batch_size"], result.protocol["trained"])
        if now != about:
            raise DataError(f"{file} measured {about[0]} at batch {about[1]}; this is {now[0]} at batch {now[1]}")
        if result.noisy or not believed:
            which = "this measurement" if result.noisy else str(file)
            return replace(result, why=[*result.why, f"not compared with {file}: {which} is noisy"])
        found = [
            {"name": t.name, "mode": t.mode, "before": before[t.name, t.mode], "now": t.flops_share}
            for t in result.engines
            if (t.name, t.mode) in before and t.flops_share < WORSE * before[t.name, t.mode]
        ]
        return replace(result, regressions=found)

    return compare


def _roofline(result: Bench) -> str | None:
    """Operations a second against operations a byte: the model's products, the machine's two limits, whole steps."""
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "bench"  # the same picture from the same numbers
    import matplotlib.pyplot as plt

    peak, bandwidth = result.machine["peak"], result.machine["bandwidth"]
    figure, axes = plt.subplots(figsize=(7, 4.5))
    points = [(at["intensity"], at["flops"] / 1e9, at) for at in result.roofline]
    reach = sorted([peak / bandwidth, *(x for x, _, _ in points)])
    ends = [reach[0] / 2, peak / bandwidth, reach[-1] * 2]
    axes.plot(ends, [min(peak, bandwidth * x) / 1e9 for x in ends], "k-", lw=1, label="machine, measured")
    for x, y, at in points:
        axes.plot(x, y, "o", color="C0", ms=4)
        axes.annotate(_shape(at), (x, y), fontsize=6, xytext=(3, -8), textcoords="offset points")
    for colour, timing in enumerate(result.engines, 1):
        share = timing.flops_share * peak / 1e9
        axes.axhline(share, ls=":", lw=1, color=f"C{colour}", label=f"{timing.name}, {timing.mode}: whole")
    axes.set(xscale="log", yscale="log", xlabel="operations a byte", ylabel="GFLOP/s", title=_title(result))
    axes.legend(fontsize="xx-small", loc="lower right")
    figure.tight_layout()
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    plt.close(figure)
    return stream.getvalue()


def _shape(at: dict[str, Any]) -> str:
    batch, rows, inner, columns = at["shape"]
    return f"{f'{batch}x' if batch > 1 else ''}({rows},{inner})({inner},{columns})"


def _title(result: Bench) -> str:
    noise = ", noisy" if result.noisy else ""
    return f"{result.name}, batch {result.protocol['batch_size']}, {result.machine['threads']} threads{noise}"
