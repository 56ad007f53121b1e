"""The model: embedding, recurrence over a schedule, heads."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import torch
from pydantic_core import core_schema
from torch import Tensor, nn

from hrmlab.attention.base import Context
from hrmlab.blocks.base import BlockConfig, Place, Size
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.heads import HaltingHead, HaltingHeadConfig
from hrmlab.core.joints import joints
from hrmlab.core.networks import NetworkConfig, Stack, level_widths, stack
from hrmlab.core.recurrence import Network, Observer, States, run
from hrmlab.core.rotary import RotaryTable
from hrmlab.core.schedules import ScheduleConfig
from hrmlab.embeddings.base import EmbeddingConfig, EmbeddingRequest
from hrmlab.embeddings.positions import PositionsConfig
from hrmlab.embeddings.puzzle import PuzzleConfig
from hrmlab.embeddings.shown import puzzle_table
from hrmlab.errors import ConfigError, unknown
from hrmlab.layers import Linear, truncated_normal_
from hrmlab.migrations import of_today
from hrmlab.registry import Strict
from hrmlab.spec import TaskSpec
from hrmlab.transitions.base import InjectionConfig, RetentionConfig


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Strict):
    """What a model is made of (schedule, parts) and how big it is (size). Facts of the data are not in it.

    injection: how sources enter an update; None adds them. retention: what is kept of the old state; None nothing.
    initial: where new puzzles start: from "random" vectors, one a level, that stay as they were drawn (HRM); from
        "learned" ones, which only rows with gradient from the first on can teach; or from "zero".
    networks: by name, what a network has otherwise than the others.
    answers: levels that learn to give the answer too, each by a head of its own, and the weight of their losses beside
        the answer level's, which is 1 (deep supervision, Lee et al. 2015, arXiv 1409.5185).
    """

    schedule: ScheduleConfig
    block: BlockConfig
    embedding: EmbeddingConfig
    positions: PositionsConfig
    puzzle: PuzzleConfig | None = None
    halting_head: HaltingHeadConfig = field(default_factory=HaltingHeadConfig)
    size: Size = field(default_factory=Size)
    injection: InjectionConfig | None = None
    retention: RetentionConfig | None = None
    initial: Literal["random", "learned", "zero"] = "random"
    networks: dict[str, NetworkConfig] = field(default_factory=dict)
    answers: dict[str, float] = field(default_factory=dict)

    def stack(self, name: str) -> Stack:
        """What a network is made of. Raises ConfigError if it has no such blocks."""
        return stack(name, self.block, self.size, self.networks)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return core_schema.no_info_before_validator_function(partial(of_today, "model"), handler(source))


@dataclass(frozen=True)
class Output:
    """What one segment gives.

    states: by level, still attached to the graph.
    logits: (B, N, V) in the compute dtype.
    values: halting logits, (B, 2) float32.
    puzzle_rows: the looked-up rows of the puzzle table, (B, P), whose `.grad` the table's optimiser wants; None without
        a table.
    answer: the level that logits and values were read from.
    others: logits of the levels that learn to answer too, and their losses' weights; while gradients are recorded.
    """

    states: States
    logits: Tensor
    values: Tensor
    puzzle_rows: Tensor | None
    answer: str
    others: dict[str, tuple[float, Tensor]] = field(default_factory=dict)


class HRM(nn.Module):
    """A Hierarchical Reasoning Model, or any of its relatives that a schedule can write down.

    Args:
        config: schedule, parts and size.
        spec: facts of the data.

    Attributes:
        dtype: of the states and products, where the device's own choice (`compute_dtype`) is not wanted.

    Raises:
        ConfigError: parts that do not fit each other or the data.
    """

    initial: Tensor

    def __init__(self, config: ModelConfig, spec: TaskSpec) -> None:
        super().__init__()
        self.config, self.spec = config, spec
        self.dtype: torch.dtype | None = None
        self.schedule = config.schedule.build()
        size, puzzle = config.size, config.puzzle
        slots = puzzle.slots_at(size.width) if puzzle else 0
        self.puzzles = puzzle_table(spec, puzzle) if puzzle else None
        request = EmbeddingRequest(size.width, spec, puzzle.width if puzzle else 0, slots, config.positions)
        self.embedding = config.embedding.build(request)
        place = Place(size, spec, slots + spec.seq_len, slots, self.embedding.symbol_axis)
        if stray := set(config.networks) - set(self.schedule.networks):
            raise ConfigError(f"model.networks: {unknown('network', stray.pop(), self.schedule.networks)}")
        networks = {name: _network(config.stack(name), place, config.positions) for name in self.schedule.networks}
        self.networks = nn.ModuleDict(networks)
        self.widths = level_widths(self.schedule, {name: config.stack(name).size.width for name in self.networks})
        if (found := self.widths[self.schedule.answer]) != size.width:
            raise ConfigError(
                f"level '{self.schedule.answer}', which the answer is read from, has width {found}, the model "
                f"{size.width}; set the model's own (model.size.width={found}) and the others' by their names"
            )
        rotaries = {name: network.rotary for name, network in networks.items() if network.rotary is not None}
        self.joints = joints(config, self.schedule, place, self.widths, rotaries)
        self.halting_head = HaltingHead(size.width, config.halting_head)
        self.readers = nn.ModuleDict({level: self._reader(level) for level in config.answers})
        starts = truncated_normal_(torch.empty(len(self.schedule.levels), max(self.widths.values())), 1.0)
        if config.initial == "learned":
            self.initial = nn.Parameter(starts)
        else:
            self.register_buffer("initial", starts if config.initial == "random" else torch.zeros_like(starts))
        self._rotation = RotaryTable(config.positions, place)

    @property
    def compute_dtype(self) -> torch.dtype:
        """bfloat16 on CUDA, float32 elsewhere (bfloat16 is emulated on most CPUs, ten times slower)."""
        if self.dtype is not None:
            return self.dtype
        return torch.bfloat16 if self.initial.is_cuda else torch.float32

    def recompute(self, on: bool) -> None:
        """Whether the backward pass computes the inside of blocks again rather than keep it (`Network.recompute`)."""
        for network in self.networks.values():
            network.__dict__["recompute"] = on

    def initial_states(self) -> States:
        """The states that a new puzzle starts from, one vector a level, broadcastable to the carry's."""
        vectors = zip(self.schedule.levels, self.initial.to(self.compute_dtype), strict=True)
        return {level: vector[: self.widths[level]] for level, vector in vectors}

    def empty_carry(self, batch: Batch) -> Carry:
        """A carry whose slots are all halted, so that the first refill starts every one of them."""
        slots, device = len(batch), batch.inputs.device
        with torch.no_grad():
            shape = self.embed(batch)[0].shape
        states = {level: start.expand(*shape[:-1], -1).clone() for level, start in self.initial_states().items()}
        zeros = torch.zeros(slots, dtype=torch.int32, device=device)
        return Carry(states, zeros, torch.ones_like(zeros), torch.ones_like(zeros, dtype=torch.bool), batch)

    def look_up(self, batch: Batch) -> Tensor | None:
        """The puzzle vectors of the batch, (B, P), leaves of the graph; None without a table."""
        return self.puzzles(batch.identifiers) if self.puzzles is not None else None

    def embed(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The input that updates add, and the puzzle vectors that it was made from."""
        rows = self.look_up(batch)
        return self._embedded(batch.inputs, rows), rows

    def context(self, mask: Tensor | None = None) -> Context:
        """What blocks are told beside the state: rotary angles where the model has them, and the mask."""
        return self._rotation.context(mask)

    def _embedded(self, tokens: Tensor, rows: Tensor | None) -> Tensor:
        vectors = rows if rows is None or self.puzzles is None else self.puzzles.vectors(rows, tokens)
        inputs: Tensor = self.embedding(tokens, vectors)
        return inputs.to(self.compute_dtype)

    def forward(
        self,
        states: States,
        batch: Batch,
        observer: Observer | None = None,
        segment: int = 0,
        mask: Tensor | None = None,
    ) -> Output:
        """One segment of every slot: embed, walk the schedule, read the answer level.

        Args:
            mask: where positions may look, as in `Context`; everywhere if left out.
        """
        return self.think(states, batch.inputs, self.look_up(batch), observer, segment, mask)

    def think(
        self,
        states: States,
        tokens: Tensor,
        rows: Tensor | None,
        observer: Observer | None = None,
        segment: int = 0,
        mask: Tensor | None = None,
    ) -> Output:
        """One segment, the puzzle vectors being looked up already: what `torch.compile` takes in one piece."""
        inputs = self._embedded(tokens, rows)
        states = run(
            self.schedule, self.networks, states, inputs, self.context(mask), observer, segment, joints=self.joints
        )
        name = self.schedule.answer
        answer = states[name]
        read = inputs if self.halting_head.readout == "input" else answer
        wanted = self.config.answers.items() if torch.is_grad_enabled() else ()
        others = {level: (weight, self.read(level, states[level])) for level, weight in wanted}
        return Output(states, self.embedding.logits(answer), self.halting_head(read), rows, name, others)

    def read(self, level: str, state: Tensor) -> Tensor:
        """The logits of any level's state: by the answer's head, or what comes before it in the level's own."""
        return self.embedding.logits(self.readers[level](state) if level in self.readers else state)

    @torch.no_grad()
    def look_ahead(self, states: States, batch: Batch) -> Tensor:
        """Halting values one segment further, (B, 2), without gradient: the target of Q(continue), arXiv 2506.21734."""
        return self.foresee(states, batch.inputs, self.look_up(batch))

    def foresee(self, states: States, tokens: Tensor, rows: Tensor | None) -> Tensor:
        """Halting values one segment further, (B, 2), for a caller that records no gradient.

        A head that reads the first position leaves nobody to read the others after the last update, so that its last
        block computes no more than that one.
        """
        inputs = self._embedded(tokens, rows)
        read = inputs
        if self.halting_head.readout != "input":
            only = 1 if self.halting_head.readout == "first" else None
            states = run(self.schedule, self.networks, states, inputs, self.context(), only=only, joints=self.joints)
            read = states[self.schedule.answer]
        values: Tensor = self.halting_head(read)
        return values

    def _reader(self, level: str) -> nn.Module:
        """The first half of a level's head, which begins as the identity; the answer's own head is the second."""
        if level == self.schedule.answer or level not in self.widths:
            others = [name for name in self.widths if name != self.schedule.answer]
            raise ConfigError(f"model.answers: '{level}' came; wanted of {others or 'no level: there is but one'}")
        reader = Linear(self.widths[level], self.config.size.width)
        if self.widths[level] == self.config.size.width:
            nn.init.eye_(reader.weight)
        return reader

    def parameter_count(self) -> int:
        """Trained numbers, without the sparse puzzle table (as the papers count)."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


def _network(stack: Stack, place: Place, positions: PositionsConfig) -> Network:
    own = replace(place, size=stack.size)
    blocks = [block.build(own) for block in stack.blocks]
    alike = (own.size.heads, own.size.width) == (place.size.heads, place.size.width)
    rotary = None if alike else RotaryTable(positions, own)
    return Network(blocks, stack.block.finish(own), rotary)


def following(carry: Carry, output: Output, steps: Tensor, halted: Tensor, *, attached: bool = False) -> Carry:
    """The carry after a segment: states cut from the graph unless attached, counters and halted flags as decided."""
    states = {level: state if attached else state.detach() for level, state in output.states.items()}
    return replace(carry, states=states, steps=steps, halted=halted)
