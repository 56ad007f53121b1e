"""Whether one arm is better than another, in words that claim no more than the numbers allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log2, sqrt
from typing import Literal

from hrmlab.errors import ConfigError, DataError
from hrmlab.registry import Strict
from hrmlab.studies.statistics import (
    Alternative,
    Interval,
    minimal_detectable,
    paired_interval,
    probability_of_improvement,
    sign_flip,
    smallest_p,
)
from hrmlab.studies.statistics.base import Floats, numbers

Decision = Literal["accept", "reject", "inconclusive"]


@dataclass(frozen=True, kw_only=True)
class Question(Strict):
    """What is asked of a comparison; to be fixed before the runs.

    measure: by its name in the results. better: which way is good.
    predicted: "gain" only where a gain was predicted beforehand: then a gain, and a loss, is each tested at the level
        alpha; "either" splits the level between them.
    alpha: the chance, if the arms are alike, of calling one better.
    smallest_effect: the least gain that would be worth having, in units of the measure.
    noise: standard deviation of the difference between two runs of one configuration (`noise_floor`); a gain must be
        twice as large as that makes a mean over these pairs.
    """

    measure: str = "exact"
    better: Literal["higher", "lower"] = "higher"
    predicted: Literal["either", "gain"] = "either"
    alpha: float = 0.05
    smallest_effect: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if not 0.001 <= self.alpha < 0.5:
            raise ConfigError(f"alpha={self.alpha} came; wanted 0.001 or more and less than 0.5, e.g. 0.05")
        if self.smallest_effect < 0 or self.noise < 0:
            raise ConfigError(
                f"smallest_effect={self.smallest_effect} noise={self.noise} came; wanted 0 or more for both"
            )

    @property
    def level(self) -> float:
        """Of each one-sided test."""
        return self.alpha if self.predicted == "gain" else self.alpha / 2


@dataclass(frozen=True)
class Verdict:
    """A candidate against a base over paired seeds. Differences are gains: positive is better, whatever the measure.

    effect: mean gain. interval: 95%, bootstrap over seeds (None for one pair). deviation: of the gains (None for one).
    p: of the mean gain, exact; two-sided, or of a gain where one was predicted. least_p: the least that so many pairs
        can give. descriptive: least_p is above alpha, so that no effect could have been shown.
    improvement: chance that a run of the candidate beats a run of the base.
    detectable: the least true gain that so many pairs would find four times in five; None where none could be.
    reason: one sentence.
    """

    decision: Decision
    pairs: int
    effect: float
    interval: Interval | None
    deviation: float | None
    p: float
    least_p: float
    descriptive: bool
    improvement: float
    detectable: float | None
    reason: str


def judge(base: Sequence[float], candidate: Sequence[float], question: Question) -> Verdict:
    """Compare two arms, (pairs,) each: the same seed at the same place.

    "accept": a gain is shown (exact sign-flip test), it is clear of the noise, and its mean is at least the smallest
    effect. "reject": shown to be less than the smallest effect, or a loss. Else "inconclusive". No two pairs of arms
    that are alike are told apart with more than the chance alpha.

    Raises:
        DataError: arms of different lengths, or a score that is not finite.
    """
    before, after = numbers(base), numbers(candidate)
    if len(before) != len(after):
        raise DataError(f"{len(before)} and {len(after)} seeds came; wanted the same seeds in both arms")
    gains = after - before if question.better == "higher" else before - after
    alternative: Alternative = "greater" if question.predicted == "gain" else "two-sided"
    pairs, several = len(gains), len(gains) > 1
    deviation = float(gains.std(ddof=1)) if several else None
    least = smallest_p(pairs, alternative)
    found = minimal_detectable(deviation or 0.0, pairs, question.alpha, alternative=alternative)
    descriptive = least > question.alpha
    decision, reason = _decide(gains, question)
    higher = probability_of_improvement(after[:, None], before[:, None])
    return Verdict(
        decision=decision,
        pairs=pairs,
        effect=float(gains.mean()),
        interval=paired_interval(gains) if several else None,
        deviation=deviation,
        p=sign_flip(gains, alternative),
        least_p=least,
        descriptive=descriptive,
        improvement=higher if question.better == "higher" else 1 - higher,
        detectable=None if descriptive else found,
        reason=reason,
    )


def _decide(gains: Floats, question: Question) -> tuple[Decision, str]:
    pairs, level, smallest = len(gains), question.level, question.smallest_effect
    effect, noise = float(gains.mean()), 2 * question.noise / sqrt(pairs)
    seen = f"a mean gain of {effect:+.4g} over {pairs} paired seed{'s' * (pairs > 1)}"
    if smallest_p(pairs, "greater") > level:
        wanted = ceil(-log2(level))
        return "inconclusive", f"descriptive: {seen}; nothing can be shown at this level with fewer than {wanted}"
    p_gain, p_loss = sign_flip(gains, "greater"), sign_flip(gains, "less")
    p_less = sign_flip(gains - smallest, "less")
    if p_loss <= level and -effect >= noise:
        return "reject", f"worse: {seen}, p of a loss {p_loss:.2g}"
    if p_less <= level and smallest - effect >= noise:
        return "reject", f"less than the {smallest:.4g} that would be worth having: {seen}, p {p_less:.2g}"
    if p_gain > level:
        return "inconclusive", f"no difference shown: {seen}, p of a gain {p_gain:.2g}, of a loss {p_loss:.2g}"
    if effect < noise:
        return "inconclusive", f"within the noise of equal runs ({noise:.4g}): {seen}"
    if effect < smallest:
        return "inconclusive", f"better, but perhaps by less than the {smallest:.4g} worth having: {seen}"
    return "accept", f"better: {seen}, p of a gain {p_gain:.2g}"
