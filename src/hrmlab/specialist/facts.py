"""What is known of a model before anything is proposed: its configuration, its costs and what probes measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrmlab import api
from hrmlab.analysis.probes import PROBES as KNOWN
from hrmlab.api.targets import find_config
from hrmlab.results import Diagnosis, Finding, Inspection
from hrmlab.results.specialist import Evidence
from hrmlab.specialist.citing import cite
from hrmlab.specialist.ledger import Ledger
from hrmlab.specialist.topics import PROBES
from hrmlab.training.config import RunConfig


@dataclass(frozen=True)
class Facts:
    """Read by rules. shape: the evidence of `inspection`; health: of `diagnosis`. problem: as it was told."""

    target: str
    problem: str
    topics: Sequence[str]
    config: RunConfig
    inspection: Inspection
    diagnosis: Diagnosis
    shape: Evidence
    health: Evidence

    def about(self, *topics: str) -> bool:
        """Whether the problem speaks of one of these."""
        return any(topic in self.topics for topic in topics)

    def number(self, probe: str, scalar: str) -> float | None:
        """What a probe measured; None where it did not."""
        value = self.health.values.get(f"{probe}.{scalar}")
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def measured(self, probe: str, scalar: str, form: str = ".2f") -> str:
        """That number as text, with its source."""
        return cite(self.health, f"{probe}.{scalar}", form)

    def findings(self, *severities: str) -> list[Finding]:
        """What the probes object to, the worst first."""
        return [finding for finding in self.diagnosis.findings if finding.severity in (severities or ("fail", "warn"))]


def examine(target: str | Path, problem: str, topics: Sequence[str], ledger: Ledger, *, n: int, quiet: bool) -> Facts:
    """Look at the model as it is; every number goes into the ledger.

    Args:
        n: held-out puzzles that probes look at.

    Raises:
        ConfigError, CheckpointError, DataError: the target cannot be used, and what to type.
    """
    config = find_config(target)
    inspection = api.inspect(target)
    rows = inspection.schedule
    shape = ledger.append(
        "inspect",
        {"target": str(target)},
        {
            "updates": len(rows),
            "with_gradient": sum(row["grad"] for row in rows),
            "without_gradient": inspection.without_gradient,
            "parameters": inspection.parameters["total"],
            "flops": inspection.flops,
            "memory": inspection.memory,
            "calls": inspection.calls,
        },
    )
    wanted = dict.fromkeys(probe for topic in topics for probe in PROBES[topic])
    known = {entry.name for entry in KNOWN}
    diagnosis = api.diagnose(target, only=[probe for probe in wanted if probe in known], n=n, quiet=quiet)
    values: dict[str, Any] = {
        f"{measurement.probe}.{name}": value
        for measurement in diagnosis.measurements
        for name, value in measurement.scalars.items()
        if isinstance(value, int | float)
    }
    values |= {f"finding.{finding.rule}": finding.observed for finding in diagnosis.findings}
    values |= {f"threshold.{finding.rule}": finding.threshold for finding in diagnosis.findings}
    about = {"target": str(target), "puzzles": diagnosis.about.get("puzzles"), "weights": diagnosis.about["weights"]}
    health = ledger.append("diagnose", about, values)
    return Facts(str(target), problem, topics, config, inspection, diagnosis, shape, health)


def analysis(facts: Facts) -> list[str]:
    """The model as it is, in sentences whose numbers are cited."""
    shape, kind = facts.shape, type(facts.config.model.schedule).__name__
    passed = [m.probe for m in facts.diagnosis.measurements if m.verdict in ("ok", "info")]
    sentences = [
        f"`{facts.inspection.name}` recurs as `{kind}`: {cite(shape, 'updates', 'd')} updates in a segment, "
        f"{cite(shape, 'with_gradient', 'd')} of them with gradient; "
        f"{cite(shape, 'without_gradient', '.0f', '%')} of the updates' operations teach nothing directly.",
        f"It has {cite(shape, 'parameters', ',d')} parameters; a segment of one puzzle takes "
        f"{cite(shape, 'flops.segment', '.1f', ' million')} operations, a training step "
        f"{cite(shape, 'flops.training_step', '.1f', ' million')}, and training a batch holds "
        f"{cite(shape, 'memory.training', '.1f', ' MiB')}.",
        f"Probes ran on `{facts.diagnosis.about['weights']}` weights; nothing is wrong by `{', '.join(passed)}`.",
    ]
    for finding in facts.findings("fail", "warn"):
        seen = f"`{finding.rule}` ({finding.severity})"
        value = facts.health.values.get(f"finding.{finding.rule}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            seen += f": {cite(facts.health, f'finding.{finding.rule}')} was measured"
            if isinstance(finding.threshold, int | float):
                seen += f", the threshold is {cite(facts.health, f'threshold.{finding.rule}')}"
        sentences.append(f"{seen}. `{finding.advice.replace('`', '')}`")
    return sentences
