"""What a problem is about, from the words that it is told in."""

import re

TOPICS: dict[str, str] = {
    "gradient": r"gradient|vanish|explod|back.?prop|flow|one.step|not learn|isn.t learn|doesn.t learn",
    "halting": r"\bact\b|halt|q.?learn|adaptive|stop|segment|ponder|exit|early",
    "attention": r"attention|heads?\b|pattern|relation|look at",
    "module": r"module|h_layers?|l_layers?|layer|block|add a|extend|hierarch|level",
    "memory": r"memory|\bmi?b\b|\bgi?b\b|out of|oom|fit",
    "speed": r"speed|slow|fast|latency|throughput|compile|kernel|flash|inference|efficien|overhead|graph break",
    "scale": r"scale|scaling|bigger|smaller|larger|parameters|width|size",
    "embedding": r"embedding|sparse|puzzle.?id|task.specific|adapt\b",
    "accuracy": r"accura|wrong|solve|better|generali[sz]|improve|learn",
}
"""By topic, words that speak of it."""

PROBES: dict[str, tuple[str, ...]] = {
    "gradient": ("gradient_path", "gradient_norms", "gradient_bias", "updates"),
    "halting": ("calibration", "halting_regret", "q_learning", "depth_scaling"),
    "attention": ("attention_entropy", "attention_structure", "relation_mass"),
    "module": ("gradient_path", "gradient_norms", "coupling"),
    "memory": ("gradient_path",),
    "speed": ("depth_scaling", "halting_regret"),
    "scale": ("effective_rank", "noise_scale"),
    "embedding": ("puzzle_embedding",),
    "accuracy": ("gradient_path", "updates", "calibration", "depth_scaling"),
}
"""By topic, the probes that bear on it, as far as they are there."""


def topics_of(problem: str) -> list[str]:
    """The topics that a problem's words speak of, the one with the most of them first; accuracy if it says nothing."""
    counts = {topic: len(re.findall(words, problem.lower())) for topic, words in TOPICS.items()}
    said = sorted((topic for topic in counts if counts[topic]), key=lambda topic: -counts[topic])
    return said or ["accuracy"]
