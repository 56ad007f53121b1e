"""Every kernel compiles for A100 and H100 without a GPU being there, and keeps within its registers."""

from pathlib import Path

import pytest

from hrmlab.errors import HrmLabError, MissingExtraError
from hrmlab.kernels import aot, triton_here


@pytest.mark.slow
@pytest.mark.skipif(not triton_here.AVAILABLE, reason="needs triton: python3 tools/setup.py dev gpu")
@pytest.mark.skipif(triton_here.INTERPRETED, reason="unset TRITON_INTERPRET")
@pytest.mark.parametrize("architecture", aot.ARCHITECTURES)
def test_every_kernel_compiles_without_spilling(
    architecture: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    found = [aot.compile_for(specimen, "bf16", architecture) for specimen in aot.specimens("bf16")]
    print("\n" + aot.markdown(found))
    assert len({use.kernel for use in found}) == 7
    for use in found:
        assert use.architecture == architecture and use.size > 1000
        assert use.spills == 0, use
        assert 0 < use.registers <= 128, use  # four programs of 128 threads on a multiprocessor of 65,536 registers


def test_without_triton_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aot, "AVAILABLE", False)
    with pytest.raises(MissingExtraError, match=r"hrm-lab\[gpu\]"):
        aot.compile_for(aot.specimens("bf16")[0], "bf16", 90)


def test_the_interpreter_compiles_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aot, "AVAILABLE", True)
    monkeypatch.setattr(aot, "INTERPRETED", True)
    with pytest.raises(HrmLabError, match="TRITON_INTERPRET"):
        aot.compile_for(aot.specimens("bf16")[0], "bf16", 90)


def test_the_table_has_a_line_for_each_kernel() -> None:
    use = aot.Usage("norm", "bf16", 90, registers=55, spills=0, shared=64, size=27184)
    lines = aot.markdown([use, use]).splitlines()
    assert len(lines) == 4 and lines[-1] == "| norm | bf16 | 90 | 55 | 0 | 64 | 27184 |"
