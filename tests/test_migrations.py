"""Configurations of every earlier version are read as they were meant, and it is told."""

import logging
from typing import Any

import pytest

from hrmlab.config import decode, encode
from hrmlab.migrations import MIGRATIONS, of_today
from hrmlab.presets import preset
from hrmlab.training.config import RunConfig

RUN = preset("hrm-sudoku-4x4").make()


def aged(number: int) -> dict[str, Any]:
    """Today's configuration as it was written before a migration."""
    data: dict[str, Any] = encode(RUN)
    if number == 1:
        del data["training"]["engine"]
        data["training"]["compile"] = True
    else:
        data["model"]["size"]["network_layers"] = {"high": 3}
    return data


def test_numbers_go_on_from_one() -> None:
    assert [migration.number for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda migration: str(migration.number))
def test_what_is_old_is_read_and_told(migration: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="hrmlab.migrations"):
        run = decode(RunConfig, aged(migration.number))
    assert f"migration {migration.number}" in caplog.text
    assert decode(RunConfig, encode(run)) == run
    if migration.number == 1:
        assert run.training.engine == "compiled"
    else:
        assert run.model.stack("high").size.layers == 3 and run.model.stack("low").size.layers == 1


def test_what_is_of_today_stays_and_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="hrmlab.migrations"):
        assert decode(RunConfig, encode(RUN)) == RUN
    assert caplog.text == ""


@pytest.mark.parametrize("data", [None, 3, "text", [], {}])
def test_what_is_no_configuration_is_left_to_the_reader(data: Any) -> None:
    assert all(of_today(migration.part, data) == data for migration in MIGRATIONS)
