"""Make the project's virtual environment: `python3 tools/setup.py [EXTRA ...]`. Standard library only; safe to repeat.

Everything comes from requirements.lock, and pip refuses any file whose SHA-256 is not in it. The lock says in a line
`# for: NAME ...` before each package what asks for it; what was not asked for is left out. Dependencies are not
resolved again, nothing is built but the project itself, and that by a locked hatchling.

torch is the one heavy dependency. Where there is no NVIDIA GPU its CUDA build, several gigabytes, must not come: a CPU
wheel that pip already sees (--find-links, a mirror) is taken, else PyTorch's own index of CPU wheels is asked, for
torch alone. The lock knows both builds.

Environment: VENV, the folder (default .venv); TORCH=any takes PyPI's build of torch, CUDA and all; TORCH=unchecked
takes whatever build pip finds, with what it asks for, and is the one way past the hashes.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("VENV", ROOT / ".venv"))
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCK = ROOT / "requirements.lock"
CPU_WHEELS = ("--index-url", "https://download.pytorch.org/whl/cpu", "--timeout", "20", "--retries", "1")
OLDEST, NEWEST = (3, 11), (3, 13)


def main(extras: list[str]) -> int:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return fail(f"Python {platform.python_version()} came; wanted 3.11 to 3.13, e.g. python3.11 tools/setup.py")
    if unknown := set(extras) - known():
        return fail(f"no extra {', '.join(sorted(unknown))}; there are {', '.join(sorted(known()))}")
    mark = VENV / ".setup.json"
    state = {"extras": sorted(set(extras)), "files": digest()}
    if mark.is_file() and PYTHON.exists():
        done = json.loads(mark.read_text())
        if done["files"] == state["files"] and set(extras) <= set(done["extras"]):
            return 0
        state["extras"] = sorted({*extras, *done["extras"]})
    if not PYTHON.exists():
        print(f"making {VENV}", file=sys.stderr)
        try:
            venv.create(VENV, with_pip=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(VENV, ignore_errors=True)
            return fail("this Python cannot make virtual environments; on Debian or Ubuntu: apt install python3-venv")
    if not install_torch():
        return 1
    own = ("--no-build-isolation", "--no-deps", "--editable", ".")
    if not locked({"base", "build", *torch_libraries(), *state["extras"]}) or not pip("install", "--quiet", *own):
        return fail("pip could not install the project (see above); check the network and try again")
    mark.write_text(json.dumps(state))
    return 0


def chosen(groups: set[str]) -> str:
    """The packages of the lock that these groups ask for, as a requirements file with hashes."""
    lines, take = [], False
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line.startswith("# for: "):
            take = not groups.isdisjoint(line.removeprefix("# for: ").split())
        elif take:
            lines.append(line)
    return "\n".join(lines) + "\n"


def known() -> set[str]:
    """The extras that the lock has packages for."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    groups = {name for line in lines if line.startswith("# for: ") for name in line.split()[2:]}
    return groups - {"base", "build", "cuda", "torch", "torch-cpu"}


def locked(groups: set[str], *options: str, **run: bool) -> bool:
    """Install what these groups ask for; a file whose hash is not in the lock is refused."""
    wanted = VENV / "wanted.txt"
    wanted.write_text(chosen(groups), encoding="utf-8")
    checks = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
    return pip("install", "--quiet", *checks, *options, "--requirement", str(wanted), **run)


def install_torch() -> bool:
    """torch at the locked version, in a build that fits this machine; True if it is there."""
    pin = chosen({"torch"}).split()[0]
    if torch_version().partition("+")[0] == pin.partition("==")[2]:
        return True
    print(f"installing {pin}", file=sys.stderr)
    build = os.environ.get("TORCH")
    if build == "unchecked":
        done = pip("install", "--quiet", pin)
    elif build == "any" or sys.platform != "linux" or has_gpu():
        done = locked({"torch"})
    else:
        done = locked({"torch-cpu"}, expected=True) or locked({"torch-cpu"}, *CPU_WHEELS)
        if not done:
            fail(
                f"no CPU build of {pin} with a known hash was found: pip sees no local wheel and PyTorch's index of "
                "CPU wheels did not answer. Give pip one (PIP_FIND_LINKS=FOLDER), or accept PyPI's CUDA build of "
                "several gigabytes with TORCH=any"
            )
            return False
    if not done:
        fail(
            f"pip could not install {pin} (see above); check the network and try again, or take a build whose hash is "
            "not in requirements.lock with TORCH=unchecked"
        )
    return done


def torch_version() -> str:
    """The version that is installed, with its build (`2.13.0+cpu`); empty if there is none."""
    probe = "import importlib.metadata as m; print(m.version('torch'))"
    return subprocess.run([PYTHON, "-c", probe], capture_output=True, text=True).stdout.strip()


def torch_libraries() -> set[str]:
    """The group of NVIDIA's libraries, which PyPI's build asks for (on Linux); builds with a name bring their own."""
    return set() if "+" in torch_version() else {"cuda"}


def has_gpu() -> bool:
    """Whether an NVIDIA driver is at work here."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def pip(*arguments: str, expected: bool = False) -> bool:
    """Run pip. Where it is `expected` that there is no such file to be had, only a wrong hash is told of."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments]
    answer = subprocess.run(command, cwd=ROOT, text=True, stderr=subprocess.PIPE if expected else None)
    if expected and "DO NOT MATCH THE HASHES" in answer.stderr:
        sys.stderr.write(answer.stderr)
    return answer.returncode == 0


def digest() -> str:
    """Changes when the dependencies do."""
    content = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "requirements.lock"))
    return hashlib.sha256(content).hexdigest()


def fail(message: str) -> int:
    print(f"setup: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
