"""Kernels compiled ahead of time: what they take of a GPU that need not be there. Needs Triton, whose ptxas is used."""

import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hrmlab.errors import HrmLabError, MissingExtraError
from hrmlab.kernels import gated, residual_norm, sparse_sign, stablemax
from hrmlab.kernels.triton_here import AVAILABLE, INTERPRETED, Specimen, triton

ARCHITECTURES = (80, 90)
"""Compute capabilities, times ten: A100 and H100."""


@dataclass(frozen=True)
class Usage:
    """What one thread of a compiled kernel takes.

    registers: of 32 bits. spills: bytes stored to and loaded from local memory for want of registers.
    shared: bytes of shared memory of a program. size: bytes of the binary.
    """

    kernel: str
    dtype: str
    architecture: int
    registers: int
    spills: int
    shared: int
    size: int


def specimens(dtype: str, *, width: int = 512, hidden: int = 1536, vocabulary: int = 11) -> list[Specimen]:
    """Every kernel at the sizes of the published models. dtype: as Triton writes it, `bf16`, `fp16` or `fp32`."""
    return [
        *residual_norm.specimens(width, dtype),
        *gated.specimens(hidden, dtype),
        *stablemax.specimens(vocabulary, dtype),
        *sparse_sign.specimens(width, dtype),
    ]


def compile_for(specimen: Specimen, dtype: str, architecture: int) -> Usage:
    """Compile for that capability and ask ptxas what the result takes.

    Raises:
        MissingExtraError: no Triton here.
        HrmLabError: Triton runs as an interpreter, or ptxas refused.
    """
    if not AVAILABLE:
        raise MissingExtraError("compiling kernels needs triton; type: pip install 'hrm-lab[gpu]'")
    if INTERPRETED:
        raise HrmLabError("TRITON_INTERPRET is set, so there is nothing to compile; unset it")
    constants = dict(specimen.constants)
    options = {"num_warps": constants.pop("num_warps")}
    signature = specimen.signature | dict.fromkeys(constants, "constexpr")
    pointers = [n for n, kind in enumerate(signature.values()) if kind.startswith("*")]
    aligned = {(n,): [["tt.divisibility", 16]] for n in pointers}
    source = triton.compiler.ASTSource(specimen.kernel, signature, constants, aligned)
    target = triton.backends.compiler.GPUTarget("cuda", architecture, 32)
    done = triton.compile(source, target=target, options=options)
    registers, spills = _assembled(done.asm["ptx"])
    return Usage(specimen.name, dtype, architecture, registers, spills, done.metadata.shared, len(done.asm["cubin"]))


def _assembled(ptx: str) -> tuple[int, int]:
    """Registers and bytes spilled, of the kernel in a PTX text."""
    found = re.search(r"^\.target (sm_\w+)", ptx, re.MULTILINE)
    assert found is not None, "Triton's PTX names no target"
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "kernel.ptx"
        text.write_text(ptx)
        ptxas = triton.knobs.nvidia.ptxas.path
        command = [ptxas, "-v", f"--gpu-name={found[1]}", str(text), "-o", str(text.with_suffix(".cubin"))]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise HrmLabError(f"ptxas refused a kernel for {found[1]}: {done.stderr.strip().splitlines()[0]}")
    registers = re.search(r"Used (\d+) registers", done.stderr)
    spills = re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", done.stderr)
    assert registers and spills, f"ptxas -v says nothing of registers or spills: {done.stderr}"
    return int(registers[1]), int(spills[1]) + int(spills[2])


def markdown(usages: Iterable[Usage]) -> str:
    """A table, a line for each kernel, type and architecture."""
    lines = [
        "| kernel | type | sm | registers | spilled bytes | shared bytes | binary bytes |",
        "|---|---|---|---|---|---|---|",
    ]
    for use in usages:
        numbers = (use.architecture, use.registers, use.spills, use.shared, use.size)
        lines.append(f"| {use.kernel} | {use.dtype} | " + " | ".join(map(str, numbers)) + " |")
    return "\n".join(lines)
