"""Everything that the user's own description of the specialist asks for is in ours, and in what is shipped."""

from pathlib import Path

import pytest

from hrmlab.cli.verbs import VERBS
from hrmlab.errors import DataError
from hrmlab.specialist.persona import own, read

ASKED = Path(__file__).parent / "asked" / "hrm-architecture-specialist.md"
COVERED = {
    "Design and implement modifications to Hierarchical": (
        "blocks of `HierarchicalReasoning",
        "new",
    ),
    "Optimize H_layers and L_layers": ("fit the high and the low level", "tune"),
    "Implement new reasoning modules": ("add reasoning modules", "check"),
    "Design custom attention mechanisms": ("attention for several levels", "new"),
    "Tune Q-learning parameters": ("tune Q-learning", "specialist"),
    "Implement and modify halting strategies": ("change halting strategies", "halting tune"),
    "Design novel adaptive computation": ("new ways to spend computation", "halting"),
    "Optimize ACT wrapper": ("keep the wrapper lean", "bench"),
    "Implement FlashAttention": ("FlashAttention", "doctor"),
    "Design efficient sparse embedding": ("sparse embeddings for a task", "adapt"),
    "Optimize forward pass": ("shorten the forward pass", "bench"),
    "Handle torch.compile": ("torch.compile", "bench"),
    "Diagnose gradient flow": ("diagnose gradient flow", "diagnose"),
    "Analyze attention maps": ("attention maps and representations", "report"),
    "Design ablation studies": ("design ablations", "ablate"),
    "Troubleshoot hierarchical interactions": ("how levels act on each other", "diagnose"),
    "Always consider the impact": ("Reasoning and cost together", "specialist"),
    "Provide specific code modifications": ("Code, not advice", "specialist"),
    "Include gradient flow analysis": ("Gradient flow with every structural change", "specialist"),
    "Consider memory usage and inference speed": ("Memory and inference speed", "inspect"),
    "Ensure backward compatibility": ("Backward compatibility", "compare"),
    "Analyze the current architecture": ("**Analyse**", "inspect"),
    "Propose modifications with clear rationale": ("**Propose**", "specialist"),
    "Consider computational complexity": ("**Weigh**", "inspect"),
    "Provide implementation details": ("**Implement**", "specialist"),
    "Suggest testing strategies": ("**Test**", "ablate"),
}
"""The beginning of every point of the description: the words of ours that answer it, and the verb that does it."""


def test_the_description_is_read_though_its_settings_are_no_yaml() -> None:
    asked = read(ASKED.read_text())
    assert asked.front["name"] == "hrm-architecture-specialist"
    assert asked.front["description"].startswith("Use this agent when you need to modify")
    assert asked.text.startswith("You are an elite HRM")


def test_every_point_of_the_description_is_covered() -> None:
    """Names any line that nothing covers."""
    points = read(ASKED.read_text()).duties
    assert len(points) == len(COVERED) == 26
    uncovered = [point for point in points if not any(point.startswith(start) for start in COVERED)]
    assert uncovered == []
    ours, verbs = own().text, {verb.name for verb in VERBS}
    for start, (words, verb) in COVERED.items():
        assert words in ours, f"nothing in the persona answers '{start}'"
        assert verb in verbs, f"no verb does '{start}'"


def test_its_closing_demands_are_kept() -> None:
    ours = own().text
    for words in ("Hierarchical principles named", "code that runs", "Adaptive, multi-level reasoning stays"):
        assert words in ours


@pytest.mark.parametrize(
    ("text", "front"),
    [
        ("Just text.", {}),
        ("---\nname: a\ndescription: |\n  one\n  two\n---\nText.", {"name": "a", "description": "one\ntwo"}),
        ("---\nname: a: b: c\n---\nText.", {"name": "a: b: c"}),
    ],
)
def test_settings_are_read_with_patience(text: str, front: dict[str, str]) -> None:
    assert read(text).front == front


def test_a_definition_without_text_is_refused() -> None:
    with pytest.raises(DataError, match="without text"):
        read("---\nname: a\n---\n")
