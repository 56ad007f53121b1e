"""Tools that measure: they write to the state folder alone. Long ones give a job."""

import uuid
from typing import Any, Literal

from hrmlab.errors import ConfigError
from hrmlab.specialist.tools.workshop import Workshop, brief, plain_word

GRADIENT = ("gradient_path", "gradient_norms", "gradient_bias", "updates")
ATTENTION = ("attention_entropy", "attention_structure", "attention_capture")
WAIT = 30.0


def hrm_diagnose(
    shop: Workshop, target: str, probes: list[str] | None = None, puzzles: int = 32, wait_s: float = WAIT
) -> dict[str, Any]:
    """What is wrong inside a model: findings with number, threshold and advice. A job.

    probes: by name (hrm_catalog kind=probe); the cheap ones if left out.
    """
    words = ["diagnose", shop.target(target), "--n", str(puzzles), "--out", _folder(shop, "diagnosis")]
    words += [word for probe in probes for word in ("--only", plain_word(probe))] if probes else ["--preset", "economy"]
    return shop.work(words, wait_s)


def hrm_gradient_flow(shop: Workshop, target: str, puzzles: int = 32, wait_s: float = WAIT) -> dict[str, Any]:
    """Where gradient flows in the hierarchy and the recurrence: norms by level, leaks, direction against the whole
    gradient. A job."""
    return hrm_diagnose(shop, target, list(GRADIENT), puzzles, wait_s)


def hrm_attention(shop: Workshop, target: str, puzzles: int = 32, wait_s: float = WAIT) -> dict[str, Any]:
    """What heads look at: entropy, structure along the task's relations, sinks. A job. Not all blocks have heads."""
    return hrm_diagnose(shop, target, list(ATTENTION), puzzles, wait_s)


def hrm_halting(
    shop: Workshop, run: str, puzzles: int = 200, accuracy_loss: float = 0.5, wait_s: float = WAIT
) -> dict[str, Any]:
    """Every halting rule on the same trained weights: accuracy against segments. A job.

    accuracy_loss: percentage points that the cheapest rule may lose.
    """
    words = ["halting", shop.target(run), "--n", str(puzzles), "--target-accuracy-loss", str(accuracy_loss)]
    return shop.work([*words, "--out", _folder(shop, "halting")], wait_s)


def hrm_bench(shop: Workshop, target: str, changes: list[str] | None = None, wait_s: float = WAIT) -> dict[str, Any]:
    """Speed and memory of every engine that works here, beside the reference's way of computing. A job."""
    return shop.work(["bench", shop.target(target), *shop.changes(changes), "--seconds", "10"], wait_s)


def hrm_train(
    shop: Workshop, target: str, changes: list[str] | None = None, steps: int = 200, wait_s: float = WAIT
) -> dict[str, Any]:
    """Train a model into the state folder and evaluate it. A job; the result names the run."""
    words = [
        "train",
        shop.target(target),
        *shop.changes(changes),
        "--steps",
        str(steps),
        "--out",
        str(_folder(shop, "run")),
    ]
    return shop.work(words, wait_s)


def hrm_ablate(
    shop: Workshop, study: str, quick: bool = True, seeds: int | None = None, wait_s: float = WAIT
) -> dict[str, Any]:
    """A shipped study, or a JSON file inside the roots: arms over paired seeds, with honest statistics. A long job.

    quick: the small form of a shipped study; a file has none.
    """
    if ":" in study:
        raise ConfigError(f"'{study}' came; wanted a shipped study or a JSON file: programs are not run from here")
    words = ["ablate", shop.target(study), "--out", _folder(shop, "study")]
    words += ["--quick"] if quick and not study.endswith(".json") else []
    return shop.work([*words, *([] if seeds is None else ["--seeds", str(seeds)])], wait_s)


def hrm_consult(
    shop: Workshop,
    target: str,
    problem: str,
    train: bool = False,
    seeds: int = 5,
    steps: int = 200,
    wait_s: float = WAIT,
) -> dict[str, Any]:
    """The specialist's five steps by rules: analysis, at most three proposals with costs and gradient flow, and with
    train=true their trial on paired and on sealed seeds. A job."""
    words = ["specialist", shop.target(target), plain_word(problem), "--out", _folder(shop, "consultation")]
    words += ["--seeds", str(seeds), "--steps", str(steps)] + ([] if train else ["--no-train"])
    return shop.work(words, wait_s)


def hrm_propose(
    shop: Workshop,
    target: str,
    changes: list[str],
    because: str,
    predict: str,
    aim: Literal["exact", "mean_segments", "parameters", "operations_segment", "memory_training"] = "exact",
    source: str = "",
) -> dict[str, Any]:
    """Write down one change with its prediction, and pass it through the gates that need no training: static, build,
    numerics, cost, gradient flow. Nothing of yours is changed; hrm_verify tries it.

    source: of a plug-in, one Python file that registers parts which the changes use (`hrm new block NAME` shows the
    form); it is read first, and runs in a sandbox.
    """
    from hrmlab.specialist.proposing import propose

    folder = _folder(shop, "proposal")
    told = propose(
        shop.target(target), shop.changes(changes), because=because, predict=predict, aim=aim, source=source,
        out=folder, quiet=True,
    )  # fmt: skip
    found: dict[str, Any] = brief(told.plain())
    return found


def hrm_patch(
    shop: Workshop,
    fork: str,
    edits: list[dict[str, str]],
    because: str,
    predict: str,
    test: str | None = None,
) -> dict[str, Any]:
    """A change of a fork of the reference as a unified diff, and a script of the fork run before and after in a
    sandbox. The fork is not touched: the diff is for `git apply`.

    edits: {"file", "search", "replace"}; each search text must be in its file exactly once. test: a Python script below
    the fork that ends with 0 where all is well; half a minute at most.
    """
    from hrmlab.specialist.patching import Edit, patch

    try:
        wanted = [Edit(**edit) for edit in edits]
    except TypeError:
        raise ConfigError('edits are {"file": "...", "search": "...", "replace": "..."}') from None
    told = patch(
        shop.inside(fork), wanted, because=because, predict=predict, test=test, seconds=15.0, out=_folder(shop, "patch")
    )  # fmt: skip
    found: dict[str, Any] = brief(told.plain())
    return found


def hrm_verify(shop: Workshop, folder: str, seeds: int = 5, steps: int = 200, wait_s: float = WAIT) -> dict[str, Any]:
    """A proposal through all gates: paired training at equal steps and equal operations, then sealed seeds. A job;
    accepted, rejected or inconclusive. Seeds cannot be chosen."""
    words = ["verify", str(shop.inside(folder)), "--seeds", str(seeds), "--steps", str(steps)]
    return shop.work(words, wait_s)


def _folder(shop: Workshop, kind: str) -> str:
    place = shop.state / f"{kind}s" / uuid.uuid4().hex[:10]
    place.parent.mkdir(parents=True, exist_ok=True)
    return str(place)
