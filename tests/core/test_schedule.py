"""The table of updates: the papers' recurrences as rows, arithmetic over them, and every way to be incoherent."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.core.recurrences import hrm, hrm_text, levels, single_state, trm, universal
from hrmlab.core.schedule import INPUT, Schedule, Update, incoherences
from hrmlab.errors import ConfigError

LOW = Update("low", ("high", INPUT), "low")
HIGH = Update("high", ("low",), "high")
cycles = st.integers(1, 5)


def grads(schedule: Schedule) -> list[bool]:
    return [update.grad for update in schedule.updates]


def complaint(*updates: Update, levels: tuple[str, ...] = ("high", "low"), answer: str = "high") -> str:
    with pytest.raises(ConfigError) as raised:
        Schedule(levels, updates, answer)
    return str(raised.value)


def test_hrm_two_by_two_is_six_rows_of_which_the_last_two_carry_gradient():
    schedule = hrm(2, 2)
    assert [u.target for u in schedule.updates] == ["low", "low", "high"] * 2
    assert grads(schedule) == [False] * 4 + [True] * 2
    assert {u.network for u in schedule.updates if u.target == "low"} == {"low"}
    assert schedule.updates[0].sources == ("high", INPUT) and schedule.updates[2].sources == ("low",)
    assert (schedule.levels, schedule.answer, schedule.networks) == (("high", "low"), "high", ("low", "high"))


def test_trm_three_by_six_is_twenty_one_rows_of_one_network_of_which_seven_carry_gradient():
    schedule = trm(3, 6)
    assert [u.target for u in schedule.updates] == [*["low"] * 6, "high"] * 3
    assert grads(schedule) == [False] * 14 + [True] * 7
    assert schedule.networks == ("high",)


def test_universal_eight_six_is_one_state_with_gradient_in_the_last_six():
    schedule = universal(8, 6)
    assert (
        schedule.updates == (Update("state", (INPUT,), "state", False),) * 2 + (Update("state", (INPUT,), "state"),) * 6
    )
    assert schedule.answer == "state"


def test_single_state_carries_gradient_throughout():
    assert grads(single_state(4)) == [True] * 4


@given(high=cycles, low=cycles)
def test_two_levels_recur_as_hrm_does(high: int, low: int):
    assert levels((high, low)) == hrm(high, low)


@given(periods=st.lists(st.integers(1, 3), min_size=2, max_size=4))
def test_levels_update_as_often_as_their_periods_say_and_train_each_network_once(periods: list[int]):
    schedule = levels(periods)
    expected, total = Counter(), 1
    for name, period in zip(schedule.levels, periods, strict=True):
        total *= period
        expected[name] = total
    assert schedule.calls() == expected
    assert schedule.grad_calls() == Counter(schedule.levels)


def test_three_levels_read_their_neighbours_and_the_input_enters_at_the_fastest():
    schedule = levels((1, 1, 1))
    assert schedule.updates == (
        Update("level2", ("level1", INPUT), "level2"),
        Update("level1", ("level0", "level2"), "level1"),
        Update("level0", ("level1",), "level0"),
    )


@given(high=cycles, low=cycles)
def test_counts_of_hrm_and_trm(high: int, low: int):
    assert hrm(high, low).calls() == Counter(low=high * low, high=high)
    assert hrm(high, low).grad_calls() == Counter(low=1, high=1)
    assert trm(high, low).calls() == Counter(high=high * (low + 1))
    assert trm(high, low).grad_calls() == Counter(high=low + 1)


@given(high=cycles, low=cycles, data=st.data())
def test_hrm_text_gives_each_high_cycle_its_own_number_of_low_updates_with_gradient(high: int, low: int, data):
    numbers = st.lists(st.integers(0, low), max_size=high)
    low_grad = data.draw(numbers.filter(lambda drawn: len(drawn) < high or any(drawn)))
    schedule = hrm_text(high, low, low_grad)
    marks = [1] * (high - len(low_grad)) + low_grad
    assert grads(schedule) == [flag for n in marks for flag in [False] * (low - n) + [True] * n + [True]]
    reads = [update.sources for update in schedule.updates]
    assert reads == [*[("input",)] * low, ("low", "input"), *[*[("high",)] * low, ("low",)] * (high - 1)]


@pytest.mark.parametrize("low_grad", [(1, 1, 1), (4,), (-1,)])
def test_hrm_text_refuses_gradients_for_rows_that_it_does_not_have(low_grad: tuple[int, ...]):
    with pytest.raises(ConfigError, match="at most 2 numbers from 0 to 3"):
        hrm_text(2, 3, low_grad)


def test_cost_counts_each_call_or_those_with_gradient():
    schedule = hrm(2, 2)  # four low calls, two high; one of each with gradient
    of_a_call = {"low": 10.0, "high": 1000.0}
    assert schedule.cost(of_a_call) == 4 * 10 + 2 * 1000
    assert schedule.cost(of_a_call, schedule.grad_calls()) == 10 + 1000


@given(rows=st.integers(2, 6))
def test_grad_window_marks_exactly_the_last_rows_and_changes_nothing_else(rows: int):
    before, after = hrm(2, 2), hrm(2, 2).with_grad_window(rows)
    assert grads(after) == [False] * (6 - rows) + [True] * rows
    assert [(u.target, u.sources, u.network) for u in after.updates] == [
        (u.target, u.sources, u.network) for u in before.updates
    ]


def test_grad_window_of_none_keeps_the_table():
    schedule = trm(2, 2)
    assert schedule.with_grad_window(None) is schedule


@pytest.mark.parametrize("rows", [-1, 0, 7])
def test_grad_window_outside_the_table_is_refused_with_its_bounds(rows: int):
    with pytest.raises(ConfigError, match=rf"grad_window={rows} is outside 1\.\.6, the rows of this schedule"):
        hrm(2, 2).with_grad_window(rows)


def test_grad_window_too_short_to_train_a_network_is_refused():
    with pytest.raises(ConfigError, match="no gradient reaches network 'low'"):
        hrm(2, 2).with_grad_window(1)


def test_describe_prints_a_line_a_row_and_the_totals():
    assert hrm(1, 2).describe().splitlines() == [
        "  0  low  <- low(low + high + input)",
        "  1  low  <- low(low + high + input)   gradient",
        "  2  high <- high(high + low)   gradient",
        "3 updates, 2 with gradient; the answer is read from 'high'",
    ]


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: hrm(0, 2), "high_cycles=0; wanted 1 or more"),
        (lambda: trm(2, -1), "low_cycles=-1; wanted 1 or more"),
        (lambda: single_state(0), "cycles=0; wanted 1 or more"),
        (lambda: levels((2, 0)), r"periods\[1\]=0; wanted 1 or more"),
        (lambda: levels((2,)), r"levels\(\[2\]\) needs two or more periods; for one level use single_state"),
        (lambda: universal(4, 5), r"grad_window=5 is outside 1\.\.4"),
        (lambda: universal(4, 0), r"grad_window=0 is outside 1\.\.4"),
    ],
)
def test_builders_refuse_counts_that_make_no_table(build: object, sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        build()


def test_a_table_without_rows_is_refused():
    assert complaint() == "the schedule is not coherent: it has no updates"


def test_a_target_that_is_no_level_is_refused():
    assert "row 1 updates 'middle', which is no level (high, low)" in complaint(
        LOW, Update("middle", ("low",), "low"), HIGH
    )


def test_a_source_that_does_not_exist_is_refused():
    assert "row 0 reads 'middle', which is neither a level nor 'input'" in complaint(
        Update("low", ("middle", INPUT), "low"), HIGH
    )


def test_a_target_among_its_own_sources_is_refused():
    assert "row 1 adds 'high' to itself twice" in complaint(LOW, Update("high", ("high", "low"), "high"))


def test_a_level_that_is_never_updated_is_refused():
    assert "level 'high' is never updated" in complaint(LOW, answer="low")


def test_an_answer_that_is_no_level_is_refused():
    assert "the answer is read from 'top', which is no level" in complaint(LOW, HIGH, answer="top")


def test_an_answer_that_is_not_updated_last_is_refused():
    assert "the last row updates 'low', so the answer of 'high' comes late" in complaint(LOW, HIGH, LOW)


def test_an_input_that_never_reaches_the_answer_is_refused():
    text = complaint(Update("low", ("high",), "low"), HIGH)
    assert text == "the schedule is not coherent: the input never reaches 'high'"


def test_an_input_that_reaches_the_answer_through_the_next_segment_is_accepted():
    late = (HIGH, Update("low", ("high", INPUT), "high"), Update("top", ("high",), "top"))
    assert Schedule(("top", "high", "low"), late, "top").updates == late


def test_a_network_that_no_gradient_reaches_is_refused():
    assert "no gradient reaches network 'low'" in complaint(Update("low", ("high", INPUT), "low", grad=False), HIGH)


def test_a_gradient_cut_by_a_later_row_without_one_does_not_count():
    cut = Update("low", ("high", INPUT), "other", grad=False)
    text = complaint(LOW, cut, HIGH)
    assert "no gradient reaches network 'low'" in text and "no gradient reaches network 'other'" in text


def test_every_problem_is_told_at_once():
    text = complaint(Update("middle", ("nowhere",), "low"), levels=("high",))
    for part in ("updates 'middle'", "reads 'nowhere'", "level 'high' is never updated", "comes late", "never reaches"):
        assert part in text


@given(high=cycles, low=cycles, loops=cycles, periods=st.lists(st.integers(1, 3), min_size=2, max_size=4))
def test_builders_give_coherent_tables(high: int, low: int, loops: int, periods: list[int]):
    for schedule in (hrm(high, low), trm(high, low), single_state(loops), universal(loops + 1, loops), levels(periods)):
        assert incoherences(schedule) == []


def test_the_input_may_enter_every_level():
    table = levels((2, 2, 2)).with_input_everywhere()
    assert all(update.sources.count(INPUT) == 1 and update.sources[-1] == INPUT for update in table.updates)
    assert [update.grad for update in table.updates] == [update.grad for update in levels((2, 2, 2)).updates]
    assert single_state(3).with_input_everywhere() == single_state(3)
