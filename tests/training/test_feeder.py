"""Every example as often as every other, in an order that can be saved."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.errors import DataError
from hrmlab.tasks.base import Examples
from hrmlab.training.feeder import Feeder


def examples(count: int) -> Examples:
    """Example i has i in its every cell, 100 + i as label and i + 1 as identifier."""
    numbers = np.arange(count, dtype=np.int32)
    inputs = np.repeat(numbers[:, None], 3, axis=1)
    return Examples(inputs, inputs + 100, numbers + 1, np.zeros(count, dtype=np.int64))


def augment(inputs: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    noise = rng.integers(1000, size=(len(inputs), 1)) * 1000
    return inputs + noise, labels + noise


sizes = st.lists(st.integers(0, 12), max_size=12)


@given(count=st.integers(1, 7), takes=sizes, seed=st.integers(0, 99))
def test_after_k_epochs_every_example_has_been_handed_out_k_times_whatever_the_takes(
    count: int, takes: list[int], seed: int
):
    feeder = Feeder(examples(count), seed)
    takes = [*takes, -sum(takes) % count]  # up to the end of the epoch
    out = np.concatenate([feeder.take(size)[0][:, 0] for size in takes])
    epochs = sum(takes) // count
    assert np.bincount(out, minlength=count).tolist() == [epochs] * count
    assert (feeder.epoch, feeder.position) == (epochs, 0)


@given(count=st.integers(1, 7), takes=sizes)
def test_within_an_epoch_no_example_comes_twice_and_orders_do_not_depend_on_the_takes(count: int, takes: list[int]):
    feeder, whole = Feeder(examples(count), 5), Feeder(examples(count), 5)
    out = np.concatenate([feeder.take(size)[0][:, 0] for size in takes] or [np.empty(0, dtype=int)])
    assert out.tolist() == whole.take(sum(takes))[0][:, 0].tolist()
    for start in range(0, len(out), count):
        epoch = out[start : start + count].tolist()
        assert len(set(epoch)) == len(epoch)


@given(takes=sizes)
def test_rows_stay_together_and_have_the_size_asked_for(takes: list[int]):
    feeder = Feeder(examples(5), 1)
    for size in takes:
        inputs, labels, identifiers = feeder.take(size)
        assert inputs.shape == labels.shape == (size, 3) and identifiers.shape == (size,)
        assert (labels == inputs + 100).all() and (identifiers == inputs[:, 0] + 1).all()


@given(before=sizes, after=sizes, augmented=st.booleans())
def test_a_restored_feeder_goes_on_identically(before: list[int], after: list[int], augmented: bool):
    change = augment if augmented else None
    feeder = Feeder(examples(5), 3, change)
    for size in before:
        feeder.take(size)
    saved = copy.deepcopy(feeder.state())
    live = feeder.state()
    straight = [feeder.take(size) for size in after]
    for state in (saved, live):
        restored = Feeder(examples(5), 99, change)
        restored.restore(state)
        for one, other in zip(straight, [restored.take(size) for size in after], strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
        assert (restored.epoch, restored.position) == (feeder.epoch, feeder.position)


def test_augmentation_sees_inputs_and_labels_together_and_leaves_the_examples_alone():
    data = examples(4)
    inputs, labels, identifiers = Feeder(data, 0, augment).take(4)
    assert (labels - inputs == 100).all() and (inputs >= 1000).any()
    assert (inputs[:, 0] % 1000 == identifiers - 1).all()
    assert np.array_equal(data.inputs, examples(4).inputs)


def test_seeds_decide_the_order():
    orders = [Feeder(examples(50), seed).take(50)[2].tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_each_epoch_has_its_own_order():
    feeder = Feeder(examples(50), 0)
    assert feeder.take(50)[2].tolist() != feeder.take(50)[2].tolist()


def test_no_examples_at_all_is_refused():
    with pytest.raises(DataError, match="no training examples"):
        Feeder(examples(0), 0)


def test_a_state_of_other_data_is_refused_with_both_sizes():
    state = Feeder(examples(5), 0).state()
    with pytest.raises(DataError, match="trained on 5 examples, these data have 6"):
        Feeder(examples(6), 0).restore(state)
