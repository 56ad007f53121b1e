"""What arms compute, and which of it is alike."""

from dataclasses import replace

from hrmlab.presets import preset
from hrmlab.studies.work import Work, matched, work_of


def test_matched_means_within_a_hundredth() -> None:
    def work(parameters: int, steps: int | None) -> Work:
        return Work(parameters, 10, 10, steps, None, None)

    assert matched([work(1000, 5), work(1009, 5)]) == ["parameters", "segment_flops", "step_flops", "steps"]
    assert matched([work(1000, 5), work(1011, None)]) == ["segment_flops", "step_flops"]


def test_a_step_looks_ahead_where_halting_does() -> None:
    looking = preset("hrm-sudoku-4x4").make()
    blind = replace(looking, halting=replace(looking.halting, bellman="trajectory"))  # type: ignore[call-arg]
    more, less = work_of(looking), work_of(blind)
    assert more.step_flops - less.step_flops == looking.training.batch_size * more.segment_flops
