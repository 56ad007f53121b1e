"""Evidence is appended, chained, and mended without losing what was sound."""

import json
import threading
from pathlib import Path

import pytest

from hrmlab.errors import DataError
from hrmlab.specialist.ledger import GENESIS, NAME, Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / NAME)
    for number in range(3):
        made.append("tool", {"number": number}, {"value": 0.1 * number, "many": [1, 2, number]})
    return made


def test_records_follow_each_other(ledger: Ledger) -> None:
    records = ledger.records()
    assert [record.id for record in records] == ["e1", "e2", "e3"]
    assert records[0].previous == GENESIS and records[2].previous == records[1].digest
    assert records[2].values == {"value": 0.2, "many": [1, 2, 2]}


@pytest.mark.parametrize("change", [("0.1", "0.9"), ('"tool"', '"other"'), ('"number": 1', '"number": 7')])
def test_an_edit_is_found_whatever_it_is(ledger: Ledger, change: tuple[str, str]) -> None:
    lines = ledger.path.read_text().splitlines()
    assert change[0] in lines[1]
    lines[1] = lines[1].replace(*change, 1)
    ledger.path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"line 2 is damaged or was changed.*--mend"):
        ledger.records()


@pytest.mark.parametrize("taken", [0, 1])
def test_a_missing_record_is_found(ledger: Ledger, taken: int) -> None:
    lines = ledger.path.read_text().splitlines()
    del lines[taken]
    ledger.path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=f"line {taken + 1} does not follow"):
        ledger.records()


def test_a_record_cut_off_while_it_was_written_is_set_aside(ledger: Ledger) -> None:
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[:-40])
    with pytest.raises(DataError, match="line 3"):
        ledger.append("tool", {}, {})
    assert ledger.mend() == 1
    assert [record.id for record in ledger.records()] == ["e1", "e2"]
    assert ledger.path.with_suffix(".damaged").read_bytes().startswith(b'{"id": "e3"')
    assert ledger.append("tool", {}, {}).id == "e3" and ledger.mend() == 0


def test_a_record_written_twice_is_found_and_mended(ledger: Ledger) -> None:
    lines = ledger.path.read_text().splitlines()
    ledger.path.write_text("\n".join([*lines, lines[-1]]) + "\n")
    with pytest.raises(DataError, match="line 4 does not follow"):
        ledger.records()
    assert ledger.mend() == 1 and len(ledger.records()) == 3


def test_many_writers_make_one_chain(tmp_path: Path) -> None:
    def write(name: str) -> None:
        for number in range(10):
            Ledger(tmp_path / NAME).append(name, {"number": number}, {})

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Ledger(tmp_path / NAME).records()) == 30


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*choose another --out"):
        Ledger(tmp_path / "file" / NAME).append("tool", {}, {})


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    """Values that JSON writes otherwise than they are kept in memory."""
    ledger = Ledger(tmp_path / NAME)
    made = ledger.append("tool", {}, {"path": Path("a"), "tuple": (1, 2), "nan": None, "word": "é"})
    assert ledger.records() == [made] and json.loads(ledger.path.read_text())["values"]["tuple"] == [1, 2]
