"""Make the project's virtual environment: `python3 tools/setup.py [EXTRA ...]`. Standard library only; safe to repeat.

torch is the one heavy dependency. Where there is no NVIDIA GPU its CUDA build, several gigabytes, must not come: a CPU
wheel that pip already sees (--find-links, a mirror) is taken, else PyTorch's own index of CPU wheels is asked, for
torch alone. Everything else is pinned in constraints.txt.

Environment: VENV, the folder (default .venv); TORCH=any accepts whatever build of torch pip finds.
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
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
OLDEST, NEWEST = (3, 11), (3, 13)


def main(extras: list[str]) -> int:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return fail(f"Python {platform.python_version()} came; wanted 3.11 to 3.13, e.g. python3.11 tools/setup.py")
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
    what = f".[{','.join(state['extras'])}]" if state["extras"] else "."
    if not pip("install", "--quiet", "--constraint", "constraints.txt", "--editable", what):
        return fail("pip could not install the project (see above); check the network and try again")
    mark.write_text(json.dumps(state))
    return 0


def install_torch() -> bool:
    """torch at the pinned version, in a build that fits this machine; True if it is there."""
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    pin = next(line.strip() for line in pins if line.startswith("torch=="))
    version = pin.partition("==")[2]
    probe = "import importlib.metadata as m; print(m.version('torch').partition('+')[0])"
    if subprocess.run([PYTHON, "-c", probe], capture_output=True, text=True).stdout.strip() == version:
        return True
    print(f"installing {pin}", file=sys.stderr)
    common = ("install", "--quiet", "--constraint", "constraints.txt")
    if os.environ.get("TORCH") == "any" or sys.platform != "linux" or has_gpu() or offers_cpu_build(pin):
        if pip(*common, pin):
            return True
        fail(f"pip could not install {pin} (see above); check the network and try again")
        return False
    short = ("--timeout", "20", "--retries", "1")
    if pip(*common, *short, "--index-url", CPU_WHEELS, "--no-deps", pin) and pip(*common, pin):
        return True
    fail(
        f"no CPU build of {pin} was found: PyTorch's index of CPU wheels did not answer and pip sees no local wheel. "
        "Give pip one (PIP_FIND_LINKS=FOLDER), or accept PyPI's CUDA build of several gigabytes with TORCH=any"
    )
    return False


def has_gpu() -> bool:
    """Whether an NVIDIA driver is at work here."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def offers_cpu_build(pin: str) -> bool:
    """Whether pip, as configured here, would take a CPU wheel of its own accord; downloads nothing but metadata."""
    ask = [PYTHON, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", "--report", "-", pin]
    answer = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True)
    try:
        return any(item["metadata"]["version"].endswith("+cpu") for item in json.loads(answer.stdout)["install"])
    except (ValueError, KeyError):
        return False


def pip(*arguments: str) -> bool:
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, cwd=ROOT).returncode == 0


def digest() -> str:
    """Changes when the dependencies do."""
    content = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    return hashlib.sha256(content).hexdigest()


def fail(message: str) -> int:
    print(f"setup: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
