"""Each rule is broken by a part made to break it, which keeps all others."""

from dataclasses import dataclass
from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.attention import AttentionConfig, Context
from hrmlab.blocks import BlockConfig, Place
from hrmlab.checks import machine, modules
from hrmlab.checks.asking import ask
from hrmlab.checks.cases import SPEC, cases
from hrmlab.checks.part import checked
from hrmlab.embeddings import Embedding, EmbeddingConfig, EmbeddingRequest
from hrmlab.layers import Linear
from hrmlab.registry import Entry

RULES = modules.RULES | machine.RULES


class Sound(nn.Module):
    """A block that breaks nothing: a linear map of each cell, and its short way to the leading ones."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = Linear(16, 16)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return x + self.mix(x)

    def leading(self, x: Tensor, context: Context, count: int) -> Tensor:
        return x[:, :count] + self.mix(x[:, :count])


class Narrow(Sound):
    def forward(self, x: Tensor, context: Context) -> Tensor:
        return super().forward(x, context)[..., :8]

    leading = None


class Wide(Sound):
    def forward(self, x: Tensor, context: Context) -> Tensor:
        return super().forward(x.double(), context)

    leading = None


class Mixing(Sound):
    def forward(self, x: Tensor, context: Context) -> Tensor:
        return super().forward(x - x.mean(0, keepdim=True), context)

    leading = None


class Drawing(Sound):
    def forward(self, x: Tensor, context: Context) -> Tensor:
        return super().forward(x + torch.randn_like(x), context)

    leading = None


class Remembering(Sound):
    """Adds what it saw last."""

    def __init__(self) -> None:
        super().__init__()
        self.last = 0.0

    def forward(self, x: Tensor, context: Context) -> Tensor:
        now = super().forward(x + self.last, context)
        if not x.is_meta and torch.compiler.is_compiling() is False:
            self.last = float(x.detach()[0].float().mean())
        return now

    leading = None


class Dead(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.ones(3))


class Cut(Sound):
    """Uses a parameter where no gradient comes through."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(16))

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return super().forward(x, context) * self.gain.detach().to(x.dtype)


class Unsaved(Sound):
    """Draws numbers once and keeps them where no state dict finds them."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("signs", torch.randn(16), persistent=False)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return super().forward(x, context) * self.signs.to(x.dtype)

    leading = None


class InPlace(Sound):
    def forward(self, x: Tensor, context: Context) -> Tensor:
        with torch.no_grad():
            x.clamp_(-1, 1)
        return super().forward(x, context)

    leading = None


class TwoFaced(Sound):
    def forward(self, x: Tensor, context: Context) -> Tensor:
        return super().forward(x, context) * (1.0 if self.training else 0.5)

    leading = None


class WrongLead(Sound):
    def leading(self, x: Tensor, context: Context, count: int) -> Tensor:
        return x[:, :count]


class Waiting(Sound):
    def forward(self, x: Tensor, context: Context) -> Tensor:
        return super().forward(x, context) if x.detach().abs().max().item() >= 0 else x

    leading = None


class Chatting(Sound):
    def forward(self, x: Tensor, context: Context) -> Tensor:
        torch._dynamo.graph_break()
        return super().forward(x, context)

    leading = None


class Growing(Sound):
    """Keeps more where its numbers are real."""

    def forward(self, x: Tensor, context: Context) -> Tensor:
        for _ in range(0 if type(x).__name__ == "FakeTensor" or x.is_meta else 3):
            x = x.exp().log()
        return super().forward(x, context)

    leading = None


@dataclass(frozen=True, kw_only=True)
class Given(BlockConfig):
    """A block of a class that a test gives."""

    kind: Literal["given"] = "given"

    def build(self, place: Place) -> nn.Module:
        self.cells_only(place)
        return MADE[0]()


MADE: list[type[nn.Module]] = [Sound]
ENTRY = Entry("block", "given", "A block of a class that a test gives.", "a test", Given)


class Peeping(nn.Module):
    """Reads the mean of all positions, whatever the mask says."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = Linear(16, 16)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return self.mix(x.mean(1, keepdim=True)).expand_as(x)


@dataclass(frozen=True, kw_only=True)
class GivenAttention(AttentionConfig):
    """Attention that does not obey masks."""

    kind: Literal["peeping"] = "peeping"

    def build(self, place: Place) -> nn.Module:
        return Peeping()


class Short(Embedding):
    """Forgets the slots when it reads its logits."""

    def __init__(self, request: EmbeddingRequest) -> None:
        super().__init__()
        self.slots = request.slots
        self.tokens = nn.Parameter(torch.randn(request.spec.vocab_size, request.width))

    def forward(self, tokens: Tensor, puzzle: Tensor | None) -> Tensor:
        return F.pad(F.embedding(tokens, self.tokens), (0, 0, self.slots, 0))

    def logits(self, state: Tensor) -> Tensor:
        return state @ self.tokens.T


@dataclass(frozen=True, kw_only=True)
class GivenEmbedding(EmbeddingConfig):
    """An embedding that forgets the slots."""

    kind: Literal["short"] = "short"

    def build(self, request: EmbeddingRequest) -> Embedding:
        return Short(request)


def broken(made: type[nn.Module], without: tuple[str, ...] = ()) -> set[str]:
    MADE[0] = made
    rules = {name: rule for name, rule in RULES.items() if name not in without}
    return {check.name for check in ask(rules, [(case.name, case) for case in cases(ENTRY)]) if check.ok is False}


def test_a_sound_block_breaks_nothing() -> None:
    assert broken(Sound) == set()


@pytest.mark.parametrize(
    ("made", "rules"),
    [
        (Narrow, {"shape", "no value read on the host"}),  # both compare the shape
        (Wide, {"float32", "bfloat16"}),
        (Mixing, {"batch independence"}),
        (Drawing, {"determinism", "batch independence", "bfloat16", "input untouched"}),
        (Dead, {"gradient reach"}),
        (Cut, {"gradient reach"}),
        (Unsaved, {"save and load"}),
        (InPlace, {"input untouched"}),
        (TwoFaced, {"training and evaluation"}),
        (WrongLead, {"leading positions"}),
        (Waiting, {"no value read on the host", "compile", "memory estimate"}),
        (Chatting, {"compile"}),
        (Growing, {"memory estimate"}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_block_made_to_break_a_rule_breaks_it_alone(made: type[nn.Module], rules: set[str]) -> None:
    assert broken(made) == rules


def test_a_block_with_hidden_state_leaks() -> None:
    found = broken(Remembering, without=("compile", "memory estimate"))
    assert "no leak across segments" in found and "determinism" not in found and "save and load" not in found


def failing(entry: Entry) -> dict[str, str]:
    return {check.name: check.why for check in ask(RULES, [(c.name, c) for c in cases(entry)]) if check.ok is False}


def test_attention_that_looks_where_the_mask_forbids() -> None:
    found = failing(Entry("attention", "peeping", "Attention that does not obey masks.", "a test", GivenAttention))
    assert set(found) == {"padding independence"} and "obey context.mask" in found["padding independence"]


def test_an_embedding_that_forgets_its_slots() -> None:
    found = failing(Entry("embedding", "short", "An embedding that forgets the slots.", "a test", GivenEmbedding))
    assert set(found) == {"shape"}
    assert "2slots" in found["shape"] and f"wanted (3, {SPEC.seq_len}, {SPEC.vocab_size})" in found["shape"]


def test_a_part_that_raises_is_reported_with_the_rule_and_the_place() -> None:
    class Raising(Sound):
        def forward(self, x: Tensor, context: Context) -> Tensor:
            raise ValueError("not written yet")

    MADE[0] = Raising
    found = {check.name: check for check in ask(RULES, [(case.name, case) for case in cases(ENTRY)])}
    assert found["shape"].ok is False and found["shape"].why == "block-given-0slots: ValueError: not written yet"


def test_a_part_of_a_family_that_is_not_its_own_and_says_nothing() -> None:
    @dataclass
    class Mute(BlockConfig):
        kind: Literal["mute"] = "mute"

        def build(self, place: Place) -> nn.Module:
            return Sound()

    entry = Entry("block", "mute", "Mute(kind: Literal['mute'] = 'mute')", "", Mute)
    found = {check.name: check.ok for check in checked(entry)}
    assert {name for name, ok in found.items() if ok is False} == {"description", "settings"}


def test_random_numbers_of_the_caller_are_left_alone() -> None:
    MADE[0] = Sound
    torch.manual_seed(5)
    wanted = torch.randn(3)
    torch.manual_seed(5)
    checked(ENTRY)
    assert torch.equal(torch.randn(3), wanted)
