"""One run on two hosts: network namespaces with an address each and a cable between them; one of them dies.

`HRM_KILLS=1 pytest tests/soak/test_two_hosts.py`, as root; a minute.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from e2e.test_torchrun import ENVIRONMENT, SMALL, weights

from hrmlab.training.folder import RunFolder

pytestmark = pytest.mark.skipif(
    "HRM_KILLS" not in os.environ or not shutil.which("ip") or os.geteuid() != 0,
    reason="wants HRM_KILLS=1 (it takes a minute), the command ip, and root, to lay a cable between two namespaces",
)
NAMES = tuple(f"hrm{os.getpid()}{letter}" for letter in "ab")
ADDRESSES = ("10.77.0.1", "10.77.0.2")
REPLACEABLE = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
"""Or the first agent keeps its store to itself, and one that replaces another waits for its address (torch 2.13)."""


def ip(*words: str) -> None:
    done = subprocess.run(("ip", *words), capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this machine lays no cable: ip {' '.join(words)}: {done.stderr.strip()}")


@pytest.fixture(scope="module")
def cable() -> Iterator[None]:
    try:
        for name in NAMES:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", NAMES[0], "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", NAMES[1])
        for name, address in zip(NAMES, ADDRESSES, strict=True):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", "wire")
            ip("-n", name, "link", "set", "wire", "up")
        yield
    finally:
        for name in NAMES:
            subprocess.run(("ip", "netns", "del", name), capture_output=True)


def host(number: int, log: Path, *arguments: str, restarts: int = 0) -> "subprocess.Popen[bytes]":
    """torchrun on one of the hosts."""
    how = ["--nnodes", "2", "--nproc-per-node", "1", "--max-restarts", str(restarts), "--rdzv-backend", "c10d"]
    how += ["--rdzv-endpoint", f"{ADDRESSES[0]}:29400", "--rdzv-id", "run", "--local-addr", ADDRESSES[number]]
    how += ["--rdzv-conf", f"is_host={int(number == 0)}"]  # both have the name of this machine
    command = [
        "ip",
        "netns",
        "exec",
        NAMES[number],
        sys.executable,
        "-m",
        "torch.distributed.run",
        *how,
        "-m",
        "hrmlab",
    ]
    with log.open("ab") as said:
        return subprocess.Popen(
            [*command, *arguments, "--device", "cpu", "--quiet"],
            stdout=said,
            stderr=said,
            env=ENVIRONMENT | {"GLOO_SOCKET_IFNAME": "wire", **REPLACEABLE},
        )


def lose_power(number: int) -> None:
    """Everything on a host ends at once."""
    found = subprocess.run(("ip", "netns", "pids", NAMES[number]), capture_output=True, text=True).stdout
    for pid in map(int, found.split()):
        os.kill(pid, signal.SIGKILL)


def test_a_host_that_dies_is_replaced_and_the_run_is_the_same(cable: None, tmp_path: Path) -> None:
    whole, run, log = tmp_path / "whole", tmp_path / "run", tmp_path / "log"
    words = ("train", *SMALL, "--steps", "200", "--out")
    both = [host(number, log, *words, str(whole)) for number in (0, 1)]
    assert [process.wait(200) for process in both] == [0, 0], log.read_text()[-3000:]
    assert json.loads((whole / "results.json").read_text())["n"] == 33

    first, second = (host(number, log, *words, str(run), restarts=2) for number in (0, 1))
    try:
        until = time.monotonic() + 100
        while not list(run.glob("checkpoints/0*")):
            assert time.monotonic() < until and first.poll() is None, log.read_text()[-3000:]
            time.sleep(0.02)
        lose_power(1)
        assert second.wait(20) != 0
        second = host(1, log, *words, str(run), restarts=2)
        assert [first.wait(200), second.wait(200)] == [0, 0], log.read_text()[-3000:]
    finally:
        for number in (0, 1):
            lose_power(number)
    assert RunFolder(run).last_checkpoint().name == "00000200"
    wanted = weights(whole)
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in weights(run).items())
