"""What a segment costs, in operations and bytes: each part is run once on tensors that hold no numbers.

Nothing is estimated from formulas, so that parts of other people are counted as ours are. Operations are those of
matrix products (a multiplication and an addition for each pair); passes over single numbers are left out, as is usual.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from hrmlab.attention.base import Context
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.recurrence import Network, States
from hrmlab.core.schedule import INPUT, Schedule, Update
from hrmlab.halting.base import HaltingConfig
from hrmlab.spec import TaskSpec


@dataclass(frozen=True)
class Call:
    """One call of a part on one puzzle.

    forward, backward: operations. through: of a backward pass for the state alone, not the weights.
    saved: bytes kept for the backward pass.
    """

    forward: int
    backward: int
    saved: int
    through: int = 0


@dataclass(frozen=True)
class Costs:
    """What the parts of a model cost for one puzzle.

    networks: one call of each, by name. layers: their blocks. joints: of a row, by its site.
    embedding, heads: once a segment. heads are the answer's and the halting one; others, while learning, those of other
        levels that answer too.
    states: bytes of each level's state.
    positions: of the state, puzzle slots and symbols included.
    parameters: of the model, a sparse puzzle table not counted.
    """

    networks: dict[str, Call]
    layers: dict[str, int]
    joints: dict[str, Call]
    embedding: Call
    heads: Call
    others: Call
    states: dict[str, int]
    positions: int
    parameters: int

    def segment(self, schedule: Schedule) -> int:
        """Operations of one segment without gradient: an inference segment, or a look ahead."""
        forward = schedule.cost({name: call.forward for name, call in self.networks.items()})
        forward += sum(self.joints[update.site].forward for update in schedule.updates)
        return int(forward) + self.embedding.forward + self.heads.forward

    def learning(self, schedule: Schedule) -> int:
        """Operations of one segment with its backward pass, look ahead not counted."""
        taught = [update for update in schedule.updates if update.grad]
        rows = [call for row in taught for call in (self.networks[row.network], self.joints[row.site])]
        return (
            self.segment(schedule)
            + sum(call.backward + schedule.neumann * call.through for call in rows)
            + self.embedding.backward
            + self.heads.backward
            + self.others.forward
            + self.others.backward
        )

    def step(self, schedule: Schedule, halting: HaltingConfig, segments: int = 1) -> int:
        """Operations of an optimiser step of so many segments, on average over the steps that look ahead."""
        return segments * (self.learning(schedule) + round(share_of_looks(halting) * self.segment(schedule)))

    def activations(self, schedule: Schedule, *, recompute: bool = False) -> int:
        """Bytes that one puzzle's segment keeps for its backward pass, eager.

        Args:
            recompute: the inputs of all blocks are kept, and of one block at a time everything.
        """
        outside = self.embedding.saved + self.heads.saved + self.others.saved
        outside += sum(self.joints[update.site].saved for update in schedule.updates if update.grad)
        if not recompute:
            saved = {name: call.saved for name, call in self.networks.items()}
            return int(schedule.cost(saved, schedule.grad_calls())) + outside
        inputs = sum(self.layers[row.network] * self.states[row.target] for row in schedule.updates if row.grad)
        largest = max(call.saved // self.layers[name] for name, call in self.networks.items())
        return inputs + largest + outside


def costs(config: ModelConfig, spec: TaskSpec) -> Costs:
    """The costs of a model in float32 on a CPU; no memory is taken for its weights.

    Raises:
        ConfigError: parts that do not fit each other or the data.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True):
        model = HRM(config, spec)
        tokens, names = torch.zeros(1, spec.seq_len, dtype=torch.long), torch.zeros(1, dtype=torch.long)
        batch, context = Batch(tokens, tokens, names), model.context()
        state = model.embed(batch)[0].detach().requires_grad_()
        rows = {update.site: update for update in model.schedule.updates}.values()

        states = {level: _of_width(state, width) for level, width in model.widths.items()}
        read = states | {INPUT: state}
        given = {update.network: states[update.target] for update in rows}

        def heads() -> Iterable[Tensor]:
            return model.embedding.logits(state), model.halting_head(state)

        def others() -> Iterable[Tensor]:
            return [model.read(level, states[level]) for level in model.readers]

        return Costs(
            _networks(model, given, context),
            {name: len(net.blocks) for name, net in model.networks.items() if isinstance(net, Network)},
            {
                row.site: call_cost(model.joints, partial(_joined, model, row, read, context), list(states.values()))
                for row in rows
            },
            call_cost(model, lambda: [model.embed(batch)[0]]),
            call_cost(model, heads),
            call_cost(model, others),
            {level: tensor.nbytes for level, tensor in states.items()},
            state[0].numel() // state.shape[-1],
            model.parameter_count(),
        )


def share_of_looks(halting: HaltingConfig) -> float:
    """The share of optimiser steps whose halting losses look a segment ahead."""
    steps = 1000
    return sum(halting.looks_ahead(step) for step in range(steps)) / steps


def _networks(model: HRM, given: States, context: Context) -> dict[str, Call]:
    """One call of each network on its state; those that are made alike are counted once."""
    calls: dict[str, Call] = {}
    for name, network in model.networks.items():
        twin = next((other for other in calls if model.config.stack(other) == model.config.stack(name)), None)
        passed = partial(_passed, network, given[name], context)
        calls[name] = calls[twin] if twin else call_cost(network, passed, [given[name]])
    return calls


def _passed(network: nn.Module, state: Tensor, context: Context) -> list[Tensor]:
    return [network(state, context)]


def _of_width(state: Tensor, width: int) -> Tensor:
    return state.new_zeros(*state.shape[:-1], width).requires_grad_()


def _joined(model: HRM, row: Update, states: States, context: Context) -> list[Tensor]:
    """A row without its network; nothing where it adds and replaces, which no product is needed for."""
    joints, state = model.joints, states[row.target]
    made = []
    if row.site in joints.injections or row.site in joints.projections:
        made.append(joints.enter(row, state, [states[source] for source in row.sources], context))
    if row.site in joints.retentions:
        made.append(joints.leave(row, state, state))
    return made


def call_cost(part: nn.Module, forward: Callable[[], Iterable[Tensor]], given: Sequence[Tensor] = ()) -> Call:
    """What one call of a part costs, on tensors with or without numbers.

    Attention is counted as its plain products, which fused kernels do too; bytes are those of the kernel used.

    Args:
        forward: makes the call, and gives the tensors that it answers with.
        given: the states that it reads, if what a backward pass for them alone takes is wanted.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    own = {_storage(tensor) for tensor in (*part.parameters(), *part.buffers())}
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        if (storage := _storage(tensor)) not in own:
            saved[storage] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        kept = list(forward())  # storages stay apart only while somebody holds them
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as there:
            found = list(forward())
        with FlopCounterMode(display=False) as back:
            if learnt := [tensor.sum() for tensor in found if tensor.requires_grad]:
                torch.stack(learnt).sum().backward(retain_graph=True)  # type: ignore[no-untyped-call]
        with FlopCounterMode(display=False) as through:
            if learnt and given:
                torch.autograd.grad(learnt, given, allow_unused=True)
    del kept
    ahead, behind, states = (counter.get_total_flops() for counter in (there, back, through))
    return Call(ahead, behind, sum(saved.values()), states)


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
