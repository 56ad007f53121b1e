"""What code in the sandbox tries and cannot: each attempt is made for real, in a child."""

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from hrmlab.errors import HrmLabError
from hrmlab.specialist.sandbox import Ended, Limits, available, launch
from hrmlab.specialist.sandbox.launch import GIB

try:
    HOLDS = available()
except HrmLabError as error:
    pytest.skip(f"needs Linux with Landlock and seccomp: {error}", allow_module_level=True)


def run(tmp_path: Path, code: str, **limits: float) -> Ended:
    (tmp_path / "code.py").write_text(textwrap.dedent(code))
    return launch(
        "hrmlab.specialist.sandbox.trial",
        ["code.py"],
        tmp_path,
        Limits(**({"seconds": 60} | limits)),  # type: ignore[arg-type]
    )


def test_what_confines_is_told() -> None:
    assert "landlock" in HOLDS and "seccomp" in HOLDS


def test_honest_work_is_done(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        """
        import threading, torch
        from pathlib import Path
        threading.Thread(target=lambda: None).start()
        Path("out.txt").write_text(str(float(torch.ones(64, 64).matmul(torch.ones(64, 64)).sum())))
        """,
    )
    assert ended.why is None and ended.cpu > 0.1, ended
    assert (tmp_path / "out.txt").read_text() == "262144.0"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("open('/etc/passwd').read()", "PermissionError"),
        ("import os; os.listdir(os.path.expanduser('~root'))", "Error"),
        ("import os; os.listdir('/home')", "PermissionError"),
        ("import os; os.listdir('/')", "PermissionError"),
        ("open('/tmp/left-behind', 'w')", "PermissionError"),
        ("import hrmlab; open(hrmlab.__file__, 'a')", "PermissionError"),
        ("import os; os.symlink('/etc', 'etc'); open('etc/passwd')", "PermissionError"),
        ("open('/proc/1/environ').read()", "PermissionError"),
        ("open('/proc/self/root/etc/passwd').read()", "PermissionError"),
        ("import socket; socket.socket()", "PermissionError"),
        ("import socket; socket.socketpair()", "PermissionError"),
        ("import os; os.fork()", "PermissionError"),
        ("import subprocess; subprocess.run(['/bin/true'])", "PermissionError"),
        ("import os; os.execv('/bin/true', ['true'])", "PermissionError"),
        ("import os; os.kill(os.getppid(), 15)", "PermissionError"),
        ("import os; os.kill(1, 0)", "PermissionError"),
        ("import resource as r; r.setrlimit(r.RLIMIT_AS, (r.RLIM_INFINITY, r.RLIM_INFINITY))", "Error"),
        ("import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0", "AssertionError"),
        ("import ctypes; assert ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0", "AssertionError"),
        ("x = bytearray(10 * 2**30)", "MemoryError"),
        ("import os; assert 'SECRET_KEY' in os.environ", "AssertionError"),
    ],
)
def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, error: str) -> None:
    monkeypatch.setenv("SECRET_KEY", "1")
    ended = run(tmp_path, code)
    assert ended.code != 0 and error in (ended.why or ""), ended
    assert not Path("/tmp/left-behind").exists()


def test_a_file_that_grows_without_end_is_stopped(tmp_path: Path) -> None:
    ended = run(tmp_path, "f = open('big', 'wb')\nwhile True: f.write(bytes(2**20))", disk=8 * 2**20)
    assert ended.code != 0
    assert (tmp_path / "big").stat().st_size <= 8 * 2**20


def test_many_files_are_stopped(tmp_path: Path) -> None:
    ended = run(tmp_path, "n = 0\nwhile True:\n    open(f'f{n}', 'wb').write(bytes(2**20)); n += 1", disk=8 * 2**20)
    assert "wrote more" in (ended.why or "")


def test_sleeping_past_the_limit_is_ended(tmp_path: Path) -> None:
    start = time.monotonic()
    ended = run(tmp_path, "import time\ntime.sleep(600)", seconds=2)
    assert "more than 2 s" in (ended.why or "") and time.monotonic() - start < 20


def test_memory_beyond_the_limit_is_refused_or_ended(tmp_path: Path) -> None:
    ended = run(tmp_path, "x = []\nwhile True: x.append(bytearray(2**20))", memory=GIB // 2)
    assert ended.code != 0


def test_nothing_is_left_running(tmp_path: Path) -> None:
    sleeping = "[threading.Thread(target=time.sleep, args=(99,)).start() for _ in range(9)]"
    run(tmp_path, f"import threading, time\n{sleeping}", seconds=3)
    mine = [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]
    assert mine == []


def test_where_nothing_confines_nothing_runs(tmp_path: Path) -> None:
    """The same child on a system without Landlock: it ends before the code, unless told not to."""
    code = "from hrmlab.specialist.sandbox import landlock; landlock.version = lambda: 0\n"
    code += "import runpy; runpy.run_module('hrmlab.specialist.sandbox.trial', run_name='__main__')"
    for needed, expected in ((1, 77), (0, 0)):
        limits = f"{GIB}:60:{GIB}:{needed}"
        ended = subprocess.run([sys.executable, "-c", code, str(tmp_path), limits], capture_output=True, check=False)
        assert ended.returncode == expected, ended.stderr
        assert (tmp_path / "holds").exists() == (not needed)
