"""`hrm serve` under twice the load that it can carry: python benchmarks/serving/load.py [--seconds 60] [--model NAME].

Puzzles come in batches at random moments (a Poisson process) from as many connections as it takes, whatever the server
answers. Beside it, on the same puzzles, the offline solver (`hrm solve`), alone and beside a program as busy as the
front and this client are: who shares a machine's memory and caches slows it. Writes load.json, load.csv, load.svg.
"""

import argparse
import asyncio
import csv
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from hrmlab.api.targets import find_run

HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
HEAD = b"POST /solve HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
THREADS = ("--threads", "1")  # the other core is for the front, and for us


@dataclass
class Seen:
    """What came of the load. latencies: seconds of the accepted requests; memory: (seconds, front, solver) in MiB."""

    latencies: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    wrong: int = 0
    retry_after: int = 0
    memory: list[tuple[float, float, float]] = field(default_factory=list)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--model", default="sudoku-6x6")
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--times", type=float, default=2.0)
    options.add_argument("--out", type=Path, default=HERE)
    asked = options.parse_args()
    puzzles = made(asked.model, 4096)
    alone = [offline(asked.model, puzzles) for _ in range(2)]
    load, server = asyncio.run(serve_and_load(asked, puzzles, statistics.mean(alone)))
    beside = []
    for _ in range(2):
        with neighbour(server["front_and_client_cores"]):
            beside.append(offline(asked.model, puzzles))
        alone.append(offline(asked.model, puzzles))
    report(asked, load, server, alone, beside)


@contextmanager
def neighbour(share: float) -> Iterator[None]:
    """A process that makes and reads JSON for that share of its time."""
    code = (
        "import json, time\nwhile True:\n    end = time.perf_counter() + 0.02 * {0}\n"
        "    while time.perf_counter() < end:\n        json.loads(json.dumps([str(i) * 36 for i in range(50)]))\n"
        "    time.sleep(0.02 * (1 - {0}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code.format(min(share, 1.0))])
    yield
    process.kill()
    process.wait()


def made(model: str, count: int) -> list[str]:
    task = find_run(model).config.task
    return [task.format(tokens) for tokens in task.generate(1, count, seed=7).test.inputs]


def offline(model: str, puzzles: list[str]) -> float:
    """Puzzles a second of `hrm solve`, without its start."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = Path(folder) / "jobs.txt"
        jobs.write_text("\n".join(puzzles))
        command = [sys.executable, "-m", "hrmlab", "solve", model, "--jobs", str(jobs), "--out", f"{folder}/out.jsonl"]
        command += [*THREADS, "--engine", "eager", "--device", "cpu", "--json", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return float(json.loads(done.stdout)["puzzles_per_second"])


async def serve_and_load(asked: argparse.Namespace, puzzles: list[str], capacity: float) -> tuple[Seen, dict[str, Any]]:
    command = ["-m", "hrmlab", "serve", asked.model, "--port", "0", "--engine", "eager", "--device", "cpu", *THREADS]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stderr=asyncio.subprocess.PIPE, env=ENVIRONMENT
    )
    assert process.stderr is not None
    port = int(re.search(r":(\d+) answers", (await process.stderr.readline()).decode())[1])  # type: ignore[index]
    seen = Seen()
    await flood(port, puzzles, asked.batch, capacity, 5.0, Seen())  # warm
    watching = asyncio.create_task(watch(process.pid, seen))
    start, before = time.perf_counter(), busy(process.pid)
    await flood(port, puzzles, asked.batch, asked.times * capacity, asked.seconds, seen)
    seconds, used = time.perf_counter() - start, busy(process.pid)
    watching.cancel()
    process.terminate()
    code = await process.wait()
    filled = asked.seconds / 4  # until then the slots and the queue fill
    within = [moment for moment in seen.answered if filled < moment - start <= asked.seconds]
    front, solver, client = ((now - then) / seconds for now, then in zip(used, before, strict=True))
    return seen, {
        "front_and_client_cores": front + client,
        "solver_cores": solver,
        "answered": len(within) * asked.batch / (asked.seconds - filled),
        "exit_code": code,
    }


async def flood(port: int, puzzles: list[str], batch: int, rate: float, seconds: float, seen: Seen) -> None:
    """Batches at random moments, `rate` puzzles a second, each over a connection that is free."""
    random.seed(0)
    free: list[Connection] = []
    running: set[asyncio.Task[None]] = set()
    start = due = time.perf_counter()
    while due - start < seconds:
        due += random.expovariate(rate / batch)
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        connection = free.pop() if free else Connection(port)
        task = asyncio.create_task(ask(connection, random.sample(puzzles, batch), seen, free))
        running.add(task)
        task.add_done_callback(running.discard)
    while running:
        await asyncio.wait(running)
    for connection in free:
        connection.close()


async def ask(connection: "Connection", puzzles: list[str], seen: Seen, free: "list[Connection]") -> None:
    start = time.perf_counter()
    status, headers, body = await connection.post(json.dumps({"puzzles": puzzles}).encode())
    end = time.perf_counter()
    seen.statuses[status] = seen.statuses.get(status, 0) + 1
    if status == 200:
        seen.latencies.append(end - start)
        seen.answered.append(end)
        found = json.loads(body)
        seen.wrong += found["errors"] + (found["count"] != len(puzzles))
    elif status == 429:
        seen.retry_after += "retry-after" in headers
    free.append(connection)


class Connection:
    """HTTP/1.1 kept alive, with as little of a client as there can be."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> tuple[int, str, bytes]:
        try:
            return await self._post(body)
        except (ConnectionError, asyncio.IncompleteReadError):  # kept alive for too long
            self.streams = None
            return await self._post(body)

    async def _post(self, body: bytes) -> tuple[int, str, bytes]:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        writer.write(b"%s\r\nContent-Length: %d\r\n\r\n%s" % (HEAD, len(body), body))
        headers = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(re.search(r"content-length: (\d+)", headers)[1])  # type: ignore[index]
        return int(headers.split(" ")[1]), headers, await reader.readexactly(length)

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()


def busy(pid: int) -> list[float]:
    """Processor seconds so far, of the front, of the process that solves and of this one."""
    front = psutil.Process(pid)
    return [sum(of.cpu_times()[:2]) for of in (front, *front.children(), psutil.Process())]


async def watch(pid: int, seen: Seen) -> None:
    front = psutil.Process(pid)
    (solver,) = front.children()
    start = time.perf_counter()
    while True:
        now = time.perf_counter() - start
        seen.memory.append((now, *(of.memory_info().rss / 2**20 for of in (front, solver))))
        await asyncio.sleep(0.5)


def report(
    asked: argparse.Namespace, seen: Seen, server: dict[str, Any], alone: list[float], beside: list[float]
) -> None:
    ordered = sorted(seen.latencies)
    at = {f"p{share}": ordered[min(len(ordered) - 1, int(share / 100 * len(ordered)))] for share in (50, 90, 99)}
    later = [row for row in seen.memory if row[0] > asked.seconds / 4]
    found = {
        "model": asked.model,
        "batch": asked.batch,
        "offered_times_offline": asked.times,
        "seconds": asked.seconds,
        "offline_puzzles_per_second": alone,
        "offline_beside_a_busy_program": beside,
        "served_puzzles_per_second": server["answered"],
        "share_of_offline": server["answered"] / statistics.median(alone),
        "share_of_offline_beside": server["answered"] / statistics.median(beside),
        "statuses": seen.statuses,
        "refused_with_retry_after": seen.retry_after,
        "answers_missing_or_with_errors": seen.wrong,
        "seconds_of_accepted_requests": at | {"max": ordered[-1]},
        "front_MiB": [round(row[1], 1) for row in (later[0], later[-1])],
        "solver_MiB": [round(row[2], 1) for row in (later[0], later[-1])],
        "front_and_client_cores": server["front_and_client_cores"],
        "solver_cores": server["solver_cores"],
        "exit_code_after_SIGTERM": server["exit_code"],
    }
    (asked.out / "load.json").write_text(json.dumps(found, indent=1) + "\n")
    with (asked.out / "load.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("seconds", "front_MiB", "solver_MiB"))
        rows.writerows([[round(value, 2) for value in row] for row in seen.memory])
    draw(asked.out / "load.svg", seen, ordered)
    print(json.dumps(found, indent=1))


def draw(place: Path, seen: Seen, ordered: list[float]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    shares = [(index + 1) / len(ordered) for index in range(len(ordered))]
    left.plot([1000 * seconds for seconds in ordered], shares, color="#2a6f97")
    left.set(xlabel="ms to the answer, of accepted requests", ylabel="share", ylim=(0, 1))
    seconds, front, solver = zip(*seen.memory, strict=True)
    right.plot(seconds, solver, color="#2a6f97", label="process that solves")
    right.plot(seconds, front, color="#c8553d", label="front")
    right.set(xlabel="s", ylabel="MiB in memory", ylim=(0, None))
    right.legend(frameon=False)
    figure.savefig(place)


if __name__ == "__main__":
    main()
