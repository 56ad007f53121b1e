"""The reference's own recordings: every number agrees, and every kind of difference is found."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from plain_reference import Plain, scored
from torch import Tensor

from hrmlab import api
from hrmlab.core.compiling import has_compiler
from hrmlab.core.model import HRM
from hrmlab.interop.golden import Golden
from hrmlab.interop.parity import FLOAT32, NARROW, check

NAMES = ("hrm_rope", "hrm_learned_padded_puzzle", "hrm_no_puzzle_softmax", "trm_attention", "trm_mlp_mixer")
SMALL = "trm_attention"
Changed = Callable[..., Path]


def test_all_recordings_are_here(golden: Path) -> None:
    assert {path.stem for path in golden.glob("*.safetensors")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_number_agrees(golden: Path, name: str) -> None:
    findings = check(golden / f"{name}.safetensors")
    assert set(findings.share) == set(FLOAT32)
    assert findings.ok, dict(findings.share)
    assert findings.error["halting"] == 0


@pytest.mark.parametrize("name", ["hrm_rope", "hrm_learned_padded_puzzle"])
def test_every_number_agrees_by_the_reference_engine(golden: Path, name: str) -> None:
    findings = check(golden / f"{name}.safetensors", engine="reference")
    assert findings.ok, dict(findings.share)


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_model_of_these_tests_agrees_too(golden: Path, name: str) -> None:
    """Outputs, metrics and gradients of the first call: what unseen configurations are recorded with is sound."""
    file = Golden.read(golden / f"{name}.safetensors")
    model, batch = Plain(file.family, file.config, file.below("init/")), file.batch("train/0")
    carry, out = model.call(model.start(batch), batch, training=True)
    loss, metrics = scored(carry, out, file.loss_type)
    (loss / len(batch["inputs"])).backward()
    for folder, ours in (("out", out), ("metrics", metrics), ("carry", carry)):
        for key, want in file.below(f"train/0/{folder}/").items():
            torch.testing.assert_close(
                ours[key].detach().double().flatten(), want.double().flatten(), atol=1e-4, rtol=0
            )
    for key, want in file.below("train/0/grad/").items():
        grad = model.rows.grad if key.endswith("local_weights") else model.p[key].grad
        torch.testing.assert_close(torch.zeros_like(want) if grad is None else grad, want, atol=2e-5, rtol=1e-3)


@pytest.mark.parametrize(
    ("key", "group"),
    [
        ("init/inner.lm_head.weight", "outputs"),
        ("init/inner.L_level.layers.0.mlp.down_proj.weight", "states"),
        ("train/0/out/logits", "outputs"),
        ("train/3/out/q_halt_logits", "outputs"),
        ("train/2/carry/z_L", "states"),
        ("train/4/carry/steps", "halting"),
        ("train/0/loss", "loss"),
        ("train/5/metrics/q_halt_loss", "metrics"),
        ("train/0/grad/inner.embed_tokens.embedding_weight", "grads"),
        ("train/0/grad/inner.puzzle_emb.local_weights", "grads"),
        ("final/inner.lm_head.weight", "weights"),
        ("final/inner.puzzle_emb.weights", "weights"),
        ("eval/3/out/logits", "eval"),
        ("eval/final/z_H", "eval"),
        ("eval/final/metrics/lm_loss", "eval"),
        ("eval/2/loss", "loss"),
    ],
)
def test_one_number_changed_is_found_where_it_stands(changed: Changed, key: str, group: str) -> None:
    def perturb(found: dict[str, Tensor]) -> None:
        number = found[key].flatten()[-1]
        found[key].view(-1)[-1] = number + (1 if not number.is_floating_point() else 0.05 * (1 + number.abs()))

    findings = check(changed(SMALL, perturb))
    assert not findings.ok
    assert findings.share[group] > 1


@pytest.mark.parametrize(
    ("poison", "dtype"),
    [(float("nan"), torch.float32), (float("inf"), torch.float32), (float("nan"), torch.bfloat16)],
)
def test_what_is_no_number_never_agrees(changed: Changed, poison: float, dtype: torch.dtype) -> None:
    def perturb(found: dict[str, Tensor]) -> None:
        found["train/0/out/logits"].view(-1)[5] = poison

    findings = check(changed(SMALL, perturb), dtype=dtype)
    assert not findings.ok and findings.share["outputs"] > 1


def test_weights_that_give_no_numbers_never_agree(changed: Changed) -> None:
    def perturb(found: dict[str, Tensor]) -> None:
        found["init/inner.lm_head.weight"].view(-1)[0] = float("nan")

    assert not check(changed(SMALL, perturb)).ok


@pytest.mark.parametrize(
    ("name", "key"),
    [(SMALL, "train/1/out/target_q_continue"), (SMALL, "train/0/grad/inner.extra"), (SMALL, "train/0/metrics/extra")],
)
def test_what_is_recorded_and_not_computed_never_agrees(changed: Changed, name: str, key: str) -> None:
    assert not check(changed(name, lambda found: found.update({key: torch.ones(6)}))).ok


def test_a_wider_type_agrees_as_well(golden: Path) -> None:
    assert check(golden / f"{SMALL}.safetensors", dtype=torch.float64).ok


def test_bfloat16_agrees_in_its_statistics_and_only_there(golden: Path, changed: Changed) -> None:
    findings = check(golden / f"{SMALL}.safetensors", dtype=torch.bfloat16)
    assert findings.ok and set(findings.share) == set(NARROW)
    assert findings.error["outputs"] > 1e-3  # it did run in the narrow type

    def turn(found: dict[str, Tensor]) -> None:
        found["init/inner.L_level.layers.0.self_attn.qkv_proj.weight"].neg_()

    assert not check(changed(SMALL, turn), dtype=torch.bfloat16).ok


MINUTES = pytest.mark.skipif("HRMLAB_COMPILE" not in os.environ, reason="takes minutes; set HRMLAB_COMPILE=1")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("ignore")  # the compiler's own
@pytest.mark.parametrize("name", [SMALL, pytest.param("hrm_rope", marks=MINUTES)])
def test_compiled_agrees(golden: Path, name: str) -> None:
    plain = Golden.read(golden / f"{name}.safetensors").model(torch.float32).inner.core
    assert isinstance(plain, HRM)
    if not has_compiler(plain):
        pytest.skip("no C++ compiler")
    answer = api.parity([golden / f"{name}.safetensors"], compiled=True, quiet=True)
    assert answer.ok and answer.protocol["compiled"] is True
    assert max(answer.files[0].share.values()) > 0


def test_the_header_says_which_model_it_was(changed: Changed) -> None:
    """Another eps, theta or loss in the header is another model."""
    for key, value in (("rms_norm_eps", 1e-2), ("rope_theta", 10.0), ("halt_max_steps", 3)):
        edit = lambda about, k=key, v=value: about.update(config=json.dumps(json.loads(about["config"]) | {k: v}))  # noqa: E731
        assert not check(changed(SMALL, header=edit)).ok, key
    assert not check(changed(SMALL, header=lambda about: about.update(loss_type="softmax_cross_entropy"))).ok
