"""What code in the sandbox tries and cannot: each attempt is made for real, in a child."""

import json
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


REFUSED = {
    "open('/etc/passwd').read()": "PermissionError",
    "os.listdir('/root')": "PermissionError",
    "os.listdir('/home')": "PermissionError",
    "os.listdir('/')": "PermissionError",
    "open('/tmp/left-behind', 'w')": "PermissionError",
    "open(hrmlab.__file__, 'a')": "PermissionError",
    "os.symlink('/etc', 'etc'); open('etc/passwd')": "PermissionError",
    "open('/proc/1/environ').read()": "PermissionError",
    "open('/proc/self/root/etc/passwd').read()": "PermissionError",
    "socket.socket()": "PermissionError",
    "socket.socketpair()": "PermissionError",
    "os.fork()": "PermissionError",
    "subprocess.run(['/bin/true'])": "PermissionError",
    "os.execv('/bin/true', ['true'])": "PermissionError",
    "os.kill(os.getppid(), 15)": "PermissionError",
    "os.kill(1, 0)": "PermissionError",
    "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))": "ValueError",
    "assert libc.unshare(0x10000000) == 0": "AssertionError",
    "assert libc.ptrace(16, 1, 0, 0) == 0": "AssertionError",
    "assert libc.syscall(29, 0x1234567, 4096, 0o1666) >= 0, 'shared memory'": "AssertionError",
    "assert libc.syscall(68, 0x1234567, 0o1666) >= 0, 'messages'": "AssertionError",
    "assert libc.syscall(129, os.getppid(), 0, None) == 0, 'signals with words'": "AssertionError",
    "assert libc.syscall(425, 1, None) >= 0, 'io_uring'": "AssertionError",
    "os.memfd_create('x')": "PermissionError",
    "os.chmod(hrmlab.__file__, 0o777)": "PermissionError",
    "os.chmod('code.py', 0o4777)": "PermissionError",
    "os.chown(hrmlab.__file__, -1, -1)": "PermissionError",
    "os.utime(hrmlab.__file__)": "PermissionError",
    "os.truncate(hrmlab.__file__, 0)": "PermissionError",
    "os.setxattr(hrmlab.__file__, 'user.x', b'x')": "PermissionError",
    "os.link(hrmlab.__file__, 'linked.py')": "OSError",
    "os.mknod('device', 0o60600, os.makedev(254, 0))": "PermissionError",
    "os.sched_setaffinity(os.getppid(), {0})": "PermissionError",
    "x = bytearray(10 * 2**30)": "MemoryError",
    "os.environ['SECRET_KEY']": "KeyError",
}
"""What is tried, and the error that it ends with."""


@pytest.fixture(scope="module")
def attempts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All tries in one child."""
    place = tmp_path_factory.mktemp("attempts")
    code = f"""
        import ctypes, json, os, resource, socket, subprocess
        import hrmlab
        libc, found = ctypes.CDLL(None, use_errno=True), {{}}
        for line in {list(REFUSED)!r}:
            try:
                exec(line)
                found[line] = "done"
            except BaseException as error:
                found[line] = type(error).__name__
        open("found.json", "w").write(json.dumps(found))
        """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_KEY", "1")
        ended = run(place, code)
    assert ended.code == 0, ended
    found: dict[str, str] = json.loads((place / "found.json").read_text())
    return found


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_refused(attempts: dict[str, str], line: str) -> None:
    assert attempts[line] == REFUSED[line]
    assert not Path("/tmp/left-behind").exists()


def test_a_deleted_file_that_is_held_open_counts(tmp_path: Path) -> None:
    code = "import os, time\nf = [open(str(n), 'wb') for n in range(3)]\n"
    code += "for n in range(3): os.unlink(str(n)); f[n].write(bytes(6 * 2**20)); f[n].flush()\ntime.sleep(30)"
    ended = run(tmp_path, code, disk=8 * 2**20, seconds=20)
    assert "wrote more" in (ended.why or "")


def test_threads_without_end_are_stopped(tmp_path: Path) -> None:
    code = "import threading, time\nthreading.stack_size(65536)\n"
    code += "for n in range(2000): threading.Thread(target=time.sleep, args=(30,)).start()"
    assert "threads" in (run(tmp_path, code, seconds=20).why or "")


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """Its parent is killed, and cannot end it."""
    (tmp_path / "code.py").write_text("import time\ntime.sleep(60)")
    starting = "import sys; from pathlib import Path; from hrmlab.specialist.sandbox import Limits, launch; "
    starting += "launch('hrmlab.specialist.sandbox.trial', ['code.py'], Path(sys.argv[1]), Limits(seconds=60))"
    parent = subprocess.Popen([sys.executable, "-c", starting, str(tmp_path)])
    waited = time.monotonic() + 20
    while not (found := children(tmp_path, parent.pid)) and time.monotonic() < waited:
        time.sleep(0.1)
    assert found, "it never began"
    parent.kill()
    parent.wait()
    assert not psutil.wait_procs(found, timeout=10)[1]


def children(place: Path, parent: int) -> list[psutil.Process]:
    """That run in a place, once they are confined."""
    if not (place / "holds").exists():
        return []
    try:
        return psutil.Process(parent).children()
    except psutil.Error:
        return []


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
