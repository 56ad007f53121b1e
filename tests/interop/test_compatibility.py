"""Each row of docs/compatibility.md, as behaviour."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hrmlab import api
from hrmlab.config import load_json
from hrmlab.core.act import objective, segment
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.errors import CheckpointError, DataError
from hrmlab.inference.solver import Answers
from hrmlab.interop.loss_head import ACTLossHead
from hrmlab.interop.sapient import CastedSparseEmbeddingSignSGD_Distributed
from hrmlab.losses import IGNORE, StablemaxCrossEntropy
from hrmlab.tasks import Examples, dataset
from hrmlab.training.adam_atan2 import AdamAtan2
from hrmlab.training.budget import Budget
from hrmlab.training.checkpoint import restore, save_checkpoint
from hrmlab.training.config import RunConfig, TrainingConfig
from hrmlab.training.ema import EMA
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer
from hrmlab.training.optimisers import AdamW

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
DropIn = Callable[..., Any]
Batches = Callable[[int, int], dict[str, Tensor]]
WORDS = (
    "arch.hidden_size=8", "arch.num_heads=2", "arch.H_layers=1", "arch.L_layers=1", "arch.expansion=1",
    "arch.halt_max_steps=3", "global_batch_size=4", "epochs=10", "eval_interval=5", "lr_warmup_steps=0",
)  # fmt: skip


@pytest.fixture
def imported(four: Path) -> Callable[..., RunConfig]:
    """A translated configuration of the reference, small."""

    def make(*words: str, family: str = "hrm", compat: str | None = None) -> RunConfig:
        where = f"data_path={four}" if family == "hrm" else f"data_paths=[{four}]"
        own = WORDS if family == "hrm" else [word for word in WORDS if "H_layers" not in word]
        answer = api.import_config(family, (where, *own, *words), compat=compat)
        return load_json(Path(answer.path), RunConfig)

    return make


def trainer(config: RunConfig) -> Trainer:
    torch.manual_seed(0)
    assert config.data.path is not None
    examples = dataset.read(Path(config.data.path), "train")
    return Trainer(config, HRM(config.model, config.task.spec()), Feeder(examples, config.training.seed))


def rows_of(feeder: Feeder) -> int:
    """How many rows it has handed out."""
    return feeder.epoch * len(feeder.examples) + feeder.position


def after(steps: int, do: Callable[[Trainer], object] = lambda trainer: None) -> Callable[[Trainer], bool]:
    """Goes on for so many steps, doing something after each."""

    def go_on(trainer: Trainer) -> bool:
        do(trainer)
        return trainer.budget.step < steps

    return go_on


def rows(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_row_names_its_test_and_every_test_has_its_row() -> None:
    found = rows(PAGE.read_text(encoding="utf-8"))
    assert len(found) >= 15 and all(len(row) == 5 and all(row) for row in found)
    named = [re.fullmatch(r"`(test_\w+)`", row[4]) for row in found]
    assert all(named)
    here = {name for name in globals() if name.startswith("test_")}
    about_the_page = {name for name in here if "every_row" in name or "that_compat_switches" in name}
    assert sorted(match[1] for match in named if match) == sorted(here - about_the_page)


def test_the_page_lists_what_that_compat_switches(imported: Callable[..., RunConfig]) -> None:
    """The settings that differ between the two translations, and no others, stand in the page."""
    ours, theirs = imported("ema=true", family="trm"), imported("ema=true", family="trm", compat="sapient")
    switched = replace(
        ours,
        data=replace(ours.data, drop_busy=True),
        halting=replace(ours.halting, redraw=True),
        training=replace(ours.training, ema_buffers=False),
    )
    assert switched == theirs != ours
    named = {name for row in rows(PAGE.read_text()) for name in re.findall(r"`(\w+\.\w+)`", row[3])}
    assert named == {"data.drop_busy", "halting.redraw", "training.ema_buffers"}


def lengths(drop_in: DropIn, batches: Batches, compat: str | None) -> Tensor:
    """Share of sequences by their number of segments, of a model that wants to halt at once, all of them exploring."""
    slots = 1000
    shape = {"hidden_size": 2, "num_heads": 1, "expansion": 1, "H_cycles": 1, "L_cycles": 1, "puzzle_emb_ndim": 0}
    model = drop_in(batch_size=slots, halt_max_steps=4, halt_exploration_prob=1.0, compat=compat, **shape)
    model.state_dict()["inner.q_head.bias"].copy_(torch.tensor([9.0, -9.0]))
    batch = batches(0, slots)
    carry, ended = model.initial_carry(batch), torch.zeros(5)
    with torch.no_grad():
        model.state_dict()["inner.q_head.weight"].zero_()
        for segments in range(1, 5):
            carry, _ = model(carry=carry, batch=batch)
            ended[segments] = (carry.halted & (carry.steps == segments)).sum()
    return ended / slots


def test_exploration(drop_in: DropIn, batches: Batches, imported: Callable[..., RunConfig]) -> None:
    """Drawn once, two to four segments are equally likely. Drawn anew, one has to be lucky at each segment."""
    for compat, third in ((None, 1 / 3), ("sapient", 2 / 3 * 2 / 3)):
        assert lengths(drop_in, batches, compat)[:4].tolist() == pytest.approx([0, 0, 1 / 3, third], abs=0.05)
    drawn: dict[str | None, list[Tensor]] = {None: [], "sapient": []}
    for compat, seen in drawn.items():
        run = trainer(imported("arch.halt_exploration_prob=1.0", "arch.halt_max_steps=9", compat=compat))
        run.run(after(4, lambda t, seen=seen: seen.append(t.carry.first_allowed.clone())))
    assert all(torch.equal(one, drawn[None][0]) for one in drawn[None])
    assert not all(torch.equal(one, drawn["sapient"][0]) for one in drawn["sapient"])


def test_busy_slots(imported: Callable[..., RunConfig]) -> None:
    """Four slots that never halt before their third segment, seven steps: three fillings, or seven batches."""
    taken = {}
    for compat in (None, "sapient"):
        config = imported(compat=compat)
        run = trainer(replace(config, halting=replace(config.evaluation, max_segments=3)))
        run.run(after(7))
        taken[compat] = rows_of(run.feeder)
    assert taken == {None: 3 * 4, "sapient": 7 * 4}


def test_averaged_puzzle_vectors(imported: Callable[..., RunConfig]) -> None:
    for compat in (None, "sapient"):
        run = trainer(imported("ema=true", "ema_rate=0.5", family="trm", compat=compat))
        run.run(after(2))
        assert isinstance(run.ema, EMA)
        average, last = run.evaluated_model.state_dict(), run.model.state_dict()
        assert torch.equal(average["puzzles.rows"], last["puzzles.rows"]) is (compat == "sapient")
        assert last["puzzles.rows"].abs().max() > 0
        assert not torch.equal(average["halting_head.linear.bias"], last["halting_head.linear.bias"])


def test_end_of_an_epoch(imported: Callable[..., RunConfig]) -> None:
    """30 puzzles in batches of 4: after 15 batches each has come twice."""
    feeder = trainer(imported()).feeder
    feeder.examples.identifiers[:] = np.arange(30)
    seen = np.concatenate([feeder.take(4)[2] for _ in range(15)])
    assert np.bincount(seen, minlength=30).tolist() == [2] * 30


def test_sampling(imported: Callable[..., RunConfig]) -> None:
    def first(seed: int, noise: int) -> np.ndarray[Any, Any]:
        np.random.seed(noise)
        return trainer(imported(f"seed={seed}")).feeder.take(20)[0]

    assert np.array_equal(first(0, noise=1), first(0, noise=2))
    assert not np.array_equal(first(0, noise=1), first(1, noise=1))
    before = np.random.get_state()[1].copy()
    trainer(imported()).run(after(3))
    assert np.array_equal(np.random.get_state()[1], before)


def test_decay() -> None:
    """The reference's factor at its k-th step, against ours."""
    warm, steps, least = 5, 20, 0.1

    def theirs(k: int) -> float:
        if k < warm:
            return k / warm
        return least + (1 - least) * 0.5 * (1 + np.cos(np.pi * (k - warm) / (steps - warm)))

    budget = Budget(TrainingConfig(optimiser=AdamW(), steps=steps, warmup_steps=warm, min_lr_ratio=least))
    for k in range(1, steps + 1):
        budget.step = k - 1
        assert budget.lr_factor() == pytest.approx(theirs(k) if k <= warm else theirs(k - 1))
    assert theirs(warm + 1) < 1


def test_rows_without_labels(drop_in: DropIn, batches: Batches, imported: Callable[..., RunConfig]) -> None:
    """The gradient of the halting logit says which target it was given."""
    config = imported()
    model = HRM(config.model, config.task.spec())
    inputs = torch.ones(1, 16, dtype=torch.int64)
    blank = Batch(inputs, torch.full_like(inputs, IGNORE), torch.zeros(1, dtype=torch.int64))
    carry = model.empty_carry(blank).refill(model.initial_states(), blank, torch.ones(1, dtype=torch.int32))
    step = segment(model, carry, config.halting)
    loss = objective(step, config.loss, config.halting)
    assert not loss.exact.any()
    slope = torch.autograd.grad(loss.total, step.view.values)[0][0, 0]
    assert slope > 0  # down with Q(halt)

    reference, batch = drop_in(), batches(0, 4) | {"labels": torch.full((4, 16), IGNORE)}
    head = ACTLossHead(reference, "softmax_cross_entropy")
    _, _, metrics, out, _ = head(["q_halt_logits"], carry=reference.initial_carry(batch), batch=batch)
    want = torch.nn.functional.softplus(-out["q_halt_logits"]).sum()
    torch.testing.assert_close(metrics["q_halt_loss"], want)


def test_trm_with_a_continue_loss(drop_in: DropIn, batches: Batches) -> None:
    model, batch = drop_in("trm", no_ACT_continue=False), batches(0, 4)
    with torch.no_grad():
        model.get_parameter("inner.q_head.bias").copy_(torch.tensor([1.0, -1.0]))
    head = ACTLossHead(model, "stablemax_cross_entropy")
    _, loss, metrics, out, _ = head(["target_q_continue"], carry=head.initial_carry(batch), batch=batch)
    loss.backward()
    assert out["target_q_continue"].shape == (4,) and float(metrics["q_continue_loss"]) > 0
    assert model.get_parameter("inner.q_head.bias").grad[1] != 0


def test_dtype(imported: Callable[..., RunConfig], drop_in: DropIn, batches: Batches) -> None:
    config, batch = imported("+arch.forward_dtype=bfloat16"), batches(0, 4)
    model = HRM(config.model, config.task.spec())
    assert model.initial_states()["high"].dtype == torch.float32
    for dtype in ("bfloat16", "float32"):
        reference = drop_in(forward_dtype=dtype)
        carry, _ = reference(carry=reference.initial_carry(batch), batch=batch)
        assert carry.inner_carry.z_H.dtype == getattr(torch, dtype)


def test_stablemax(imported: Callable[..., RunConfig], drop_in: DropIn) -> None:
    logits, labels = torch.randn(2, 3, 5), torch.randint(0, 5, (2, 3))
    ours, theirs = StablemaxCrossEntropy()(logits, labels), imported().loss(logits, labels)
    assert (ours.dtype, theirs.dtype) == (torch.float32, torch.float64)
    assert ACTLossHead(drop_in(), "stablemax_cross_entropy").loss_fn(logits, labels).dtype == torch.float64
    torch.testing.assert_close(ours.double(), theirs, atol=1e-6, rtol=1e-6)


def test_halting_in_evaluation(imported: Callable[..., RunConfig], four: Path) -> None:
    """A model that is sure at once: all segments by its own policy, one by another."""
    config = imported("epochs=1")
    api.train("imported.json", out="run", steps=1, device="cpu", quiet=True)
    from hrmlab.api.targets import find_run
    from hrmlab.core.weights import save_weights

    found = find_run("run")
    model = found.load(torch.device("cpu"))
    with torch.no_grad():
        model.halting_head.linear.weight.zero_()
        model.halting_head.linear.bias.copy_(torch.tensor([9.0, -9.0]))
    save_weights(model, found.folder.path / "weights.safetensors")
    assert api.evaluate("run", quiet=True).mean_segments == config.evaluation.max_segments == 3
    assert api.evaluate("run", halting="q_learning", quiet=True).mean_segments == 1


@pytest.mark.parametrize(
    ("family", "longest", "training", "passes"),
    [("hrm", 3, True, 2), ("hrm", 3, False, 1), ("hrm", 1, True, 1), ("trm", 3, True, 1), ("trm", 3, False, 1)],
)
def test_passes(drop_in: DropIn, batches: Batches, family: str, longest: int, training: bool, passes: int) -> None:
    model, batch, calls = drop_in(family, halt_max_steps=longest).train(training), batches(0, 4), []
    core = model.inner.core
    network, of_a_pass = next(iter(core.schedule.calls().items()))
    core.networks[network].register_forward_hook(lambda *_: calls.append(1))
    model(carry=model.initial_carry(batch), batch=batch)
    assert len(calls) == passes * of_a_pass


def test_where_halting_is_read(imported: Callable[..., RunConfig]) -> None:
    config = imported("arch.puzzle_emb_ndim=0")
    for readout in ("first", "mean"):
        head = replace(config.model.halting_head, readout=readout)
        model = HRM(replace(config.model, halting_head=head), config.task.spec())
        torch.nn.init.normal_(model.halting_head.linear.weight)
        state = torch.randn(1, 16, 8)
        other = state.clone()
        other[:, 5] += 1
        assert torch.equal(model.halting_head(state), model.halting_head(other)) is (readout == "first")
    assert config.model.halting_head.readout == "first"


def test_without_puzzle_embedding(imported: Callable[..., RunConfig], drop_in: DropIn, batches: Batches) -> None:
    run = trainer(imported("arch.puzzle_emb_ndim=0"))
    before = run.model.embedding.answer.weight.clone()
    run.run(after(2))
    assert not torch.equal(run.model.embedding.answer.weight, before)
    model, batch = drop_in(puzzle_emb_ndim=0), batches(0, 4)
    head = ACTLossHead(model, "stablemax_cross_entropy")
    head([], carry=head.initial_carry(batch), batch=batch)[1].backward()
    weight = model.get_parameter("inner.lm_head.weight")
    old = weight.detach().clone()
    AdamAtan2(list(head.parameters()), lr=1e-3).step()
    assert not torch.equal(weight, old)


def test_batch_size(imported: Callable[..., RunConfig], drop_in: DropIn, batches: Batches) -> None:
    config = imported()
    model = HRM(config.model, config.task.spec())
    for size in (1, 3, 9):
        batch = batches(0, size)
        rows = Batch(*(tensor.long() for tensor in batch.values()))
        assert model(model.empty_carry(rows).states, rows).logits.shape == (size, 16, 6)
    reference = drop_in(batch_size=4).train()
    for size in (1, 4):
        carry, _ = reference(carry=reference.initial_carry(batches(0, size)), batch=batches(0, size))
        assert len(carry.steps) == size
    with pytest.raises(DataError, match="batch of 5 came to a puzzle embedding made for batch_size=4"):
        reference(carry=reference.initial_carry(batches(0, 5)), batch=batches(0, 5))


def test_names_of_weights(drop_in: DropIn, four: Path, imported: Callable[..., RunConfig]) -> None:
    imported()
    words = ["arch=hrm_v1", f"data_path={four}", "arch.hidden_size=16", "arch.num_heads=2", "arch.expansion=2"]
    state = drop_in().state_dict()
    for prefix in ("_orig_mod.model.", "model."):
        torch.save({prefix + key: value for key, value in state.items()}, "step_1")
        answer = api.import_checkpoint("step_1", [*words, "arch.H_layers=1", "arch.L_layers=1"], out=f"run-{prefix}")
        assert len(answer.keys) == len(state)
    with pytest.raises(CheckpointError) as raised:
        api.import_checkpoint("step_1", [*words, "arch.H_layers=2", "arch.L_layers=1"], out="other")
    assert str(raised.value).count("H_level.layers.1.") == str(raised.value).count("is missing") == 4


def test_moved_models(drop_in: DropIn, batches: Batches) -> None:
    model, batch = drop_in().double().float(), batches(0, 4)
    assert model.puzzle_emb.local_weights.is_leaf and model.puzzle_emb.local_weights.requires_grad
    head = ACTLossHead(model, "stablemax_cross_entropy").train()
    head([], carry=head.initial_carry(batch), batch=batch)[1].backward()
    CastedSparseEmbeddingSignSGD_Distributed(model.puzzle_emb.buffers(), world_size=1, lr=0.1).step()
    assert model.puzzle_emb.weights[0].abs().tolist() == pytest.approx([0.1] * 16)


def test_assigned_weights(drop_in: DropIn, batches: Batches) -> None:
    model, other = drop_in(seed=0), drop_in(seed=1)
    optimiser = AdamAtan2(list(model.parameters()), lr=1e-2)
    model.load_state_dict(other.state_dict(), assign=True)
    batch, weight = batches(0, 4), model.get_parameter("inner.lm_head.weight")
    assert torch.equal(weight, other.get_parameter("inner.lm_head.weight"))
    head = ACTLossHead(model, "softmax_cross_entropy")
    head([], carry=head.initial_carry(batch), batch=batch)[1].backward()
    optimiser.step()
    assert not torch.equal(model.state_dict()["inner.lm_head.weight"], other.state_dict()["inner.lm_head.weight"])
    assert torch.equal(model.inner.core.embedding.answer.weight, model.state_dict()["inner.lm_head.weight"])


def test_votes_on_arc(saved: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that was right and is wrong now passes nothing now, however many candidates count."""
    pair = {"input": [[1, 2]], "output": [[2], [1]]}
    for subset in ("training", "evaluation"):
        (Path("puzzles") / subset).mkdir(parents=True)
        (Path("puzzles") / subset / f"{subset}.json").write_text(json.dumps({"train": [pair], "test": [pair]}))
    built = api.data_build("arc", ["source=puzzles", "augmentations=2"], out="arc", quiet=True)
    facts = {"seq_len": 900, "vocab_size": 12, "num_puzzle_identifiers": 7}
    assert (built.train, built.test) == (9, 3)
    api.import_checkpoint(saved(data="arc", **facts), out="run")

    def answers(token: int | None) -> Callable[..., Answers]:
        def answer(model: HRM, examples: Examples, *_: Any, **__: Any) -> Answers:
            ones = np.ones(len(examples), np.int64)
            tokens = np.where(examples.labels < 0, 0, examples.labels) if token is None else 0 * examples.labels + token
            return Answers(tokens, ones, ones * 0.5, ones > 0, [0.0] * 3)

        return answer

    for token, share in ((None, 1.0), (3, 0.0), (None, 1.0)):
        monkeypatch.setattr("hrmlab.inference.evaluate.answer", answers(token))
        done = api.evaluate("run", quiet=True)
        assert done.voted_puzzles == 1 and set(done.passes.values()) == {share}


def test_what_is_saved(imported: Callable[..., RunConfig]) -> None:
    config = imported("ema=true", family="trm")
    whole, before, after_it = trainer(config), trainer(config), trainer(config)
    whole.run(after(6))
    before.run(after(3))
    restore(after_it, save_checkpoint(before, Path("checkpoints")))
    after_it.run(after(6))
    for one, other in ((whole.model, after_it.model), (whole.evaluated_model, after_it.evaluated_model)):
        want, found = one.state_dict(), other.state_dict()
        assert all(torch.equal(found[name], want[name]) for name in want)
    assert torch.equal(after_it.carry.states["high"], whole.carry.states["high"])
    assert rows_of(after_it.feeder) == rows_of(whole.feeder)
