"""What a run's own halting rules do on the puzzles of a subject."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hrmlab.analysis.probes.base import NotApplicable
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.replay import Segments, stops
from hrmlab.analysis.traces import Flags, Floats, Trace, record
from hrmlab.halting import HaltingConfig


@dataclass(frozen=True)
class Replay:
    """A rule on n recorded puzzles, to its limit or the subject's, whichever is less: T segments.

    trace: with the rule's own answers. readiness: (n, T). at: (n,), the segment, from 1, where each puzzle stops.
    chosen: (n,), whether the rule stopped it rather than the limit.
    """

    rule: HaltingConfig
    trace: Trace
    readiness: Floats
    at: Segments
    chosen: Flags

    @property
    def right(self) -> Flags:
        """(n,): the answer where the puzzle stops is right."""
        answers: Flags = self.trace.right[np.arange(len(self.at)), self.at - 1]
        return answers


def replayed(subject: Subject, rules: Mapping[str, HaltingConfig]) -> dict[str, Replay]:
    """Every rule recorded, not applied, in one run for all that only look on.

    Raises:
        NotApplicable: a rule decides over a whole batch, so that no puzzle's segments are its own.
    """
    if shared := [rule.kind for rule in rules.values() if not rule.independent]:
        raise NotApplicable(f"{shared[0]} shares segments out over a batch: it has no stops of one puzzle")
    whole = record(subject.model, subject.examples, rules, subject.segments, subject.task.valid)
    return {name: _replay(whole.seen_by(name), whole.readiness[name], rule) for name, rule in rules.items()}


def _replay(whole: Trace, readiness: Floats, rule: HaltingConfig) -> Replay:
    limit = min(rule.max_segments, readiness.shape[1])
    ready = readiness[:, :limit].copy()
    ready[:, : min(rule.min_segments, limit) - 1] = -np.inf
    trace = Trace(whole.right[:, :limit], whole.confidence[:, :limit], {}, whole.rating)
    return Replay(rule, trace, ready, *stops(ready, rule.cutoff))
