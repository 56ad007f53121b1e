"""Everything that only a GPU can tell, in one go: are the kernels right, what do they gain, can a segment be captured.

    python benchmarks/gpu.py                        # at most eight minutes; writes gpu.md and gpu.json
    python benchmarks/gpu.py --out FOLDER --seconds 240 --only parity kernels

Needs an NVIDIA GPU, a CUDA build of torch and the Triton that came with it. The GPU should be doing nothing else. Exit
codes: 0, every check held; 1, one failed or broke off (the table says which); 2, this cannot run here.
"""

import argparse
import platform
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from gpu_parts.table import Clock, Row, gathered, write  # noqa: E402

SECTIONS = ("registers", "parity", "capture", "attention", "kernels", "model")


def main(words: list[str] | None = None) -> int:
    arguments = parsed(words)
    if problem := hindrance():
        print(f"gpu: {problem}", file=sys.stderr)
        return 2
    from gpu_parts import kernels, models

    sections = {name: getattr(kernels, name, None) or getattr(models, name) for name in SECTIONS}
    clock = Clock.of(arguments.seconds)
    found: dict[str, list[Row]] = {}
    for name in arguments.only or SECTIONS:
        found[name] = gathered(sections[name], clock)
        write(arguments.out, machine(), found)  # after each, so that a crash of the device loses one section at most
    print((arguments.out / "gpu.md").read_text())
    return int(any(row.ok is False for rows in found.values() for row in rows))


def parsed(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder for gpu.md and gpu.json")
    parser.add_argument("--seconds", type=float, default=480, help="time allowed for all of it, default 480")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=f"of {', '.join(SECTIONS)}")
    return parser.parse_args(words)


def hindrance() -> str:
    """Why this cannot run here, in one line; empty for nothing."""
    import torch

    from hrmlab.kernels import triton_here

    if not torch.cuda.is_available():
        return f"torch {torch.__version__} sees no CUDA device; wanted an NVIDIA GPU and a CUDA build of torch"
    if not triton_here.AVAILABLE:
        return "triton cannot be imported; type: pip install 'hrm-lab[gpu]'"
    if triton_here.INTERPRETED:
        return "TRITON_INTERPRET is set, so kernels would not run on the GPU; unset it"
    return ""


def machine() -> dict[str, str]:
    """The protocol of the numbers."""
    import torch

    from hrmlab.kernels.triton_here import triton

    device = torch.cuda.get_device_properties(0)
    return {
        "gpu": device.name,
        "capability": f"{device.major}.{device.minor}",
        "memory": f"{device.total_memory / 2**30:.0f} GiB",
        "torch": str(torch.__version__),
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),
        "triton": str(triton.__version__),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
