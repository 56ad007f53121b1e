"""Which halting rules mean something on weights that were trained under some policy."""

from hrmlab.halting import (
    AllOf,
    AnswerStability,
    AnyOf,
    Confidence,
    Correctness,
    DampedResidual,
    Entropy,
    Fixed,
    GlobalBudget,
    HaltingConfig,
    KLStability,
    Margin,
    QLearning,
    Residual,
    SampledDepth,
    Verifier,
)

BOTH = (Confidence(), AnswerStability(patience=1))
TRAINING_FREE: dict[str, HaltingConfig] = {
    "confidence": Confidence(),
    "confidence, mean": Confidence(over="mean"),
    "margin": Margin(),
    "entropy": Entropy(),
    "kl_stability": KLStability(),
    "answer_stability": AnswerStability(),
    "residual": Residual(),
    "residual, l2": Residual(norm="l2"),
    "damped_residual": DampedResidual(),
    "verifier": Verifier(),
    "any_of(confidence, answer_stability(patience=1))": AnyOf(rules=BOTH),
    "all_of(confidence, answer_stability(patience=1))": AllOf(rules=BOTH),
}


def rules_for(policy: HaltingConfig) -> dict[str, HaltingConfig]:
    """The training-free rules, those of the head that the policy taught, and a budget over the best-founded of them.

    A head can only be read as it was taught: the exit probabilities of `graves_act`, `ponder` and `exit_distribution`
    and the depths of `budget` are no probabilities of a right answer, nor the other way round.
    """
    own: dict[str, HaltingConfig]
    if isinstance(policy, QLearning):
        own = {"q_learning": QLearning(), "correctness": Correctness()}
    else:
        own = {} if isinstance(policy, Fixed | SampledDepth) else {policy.kind: policy}
    sure: HaltingConfig = Correctness(threshold=0.9) if policy.predicts_right else Confidence()
    return TRAINING_FREE | own | {"global_budget": GlobalBudget(rules=(sure,))}
