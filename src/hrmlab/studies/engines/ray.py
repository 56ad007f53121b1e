"""Tasks on a Ray cluster that is there already (Moritz et al. 2018, arXiv 1712.05889)."""

import logging
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hrmlab.errors import ConfigError, MissingExtraError
from hrmlab.reading import whole
from hrmlab.studies.engines.apart import Order, call, call_on_copy, pack, unpack
from hrmlab.studies.engines.base import ENGINES, Engine, Job, Launcher, Outcome


@ENGINES.register(source="Moritz et al. 2018, arXiv 1712.05889; extra `ray`")
@dataclass(frozen=True, kw_only=True)
class Ray(Engine):
    """Tasks on a Ray cluster, each where its resources are free; what a lost node had is begun again elsewhere.

    address: HOST:PORT of the head node; None is RAY_ADDRESS, or else the cluster that this machine belongs to.
    cpus, gpus, memory_gb: reserved for each run.
    shared: the study's folder has the same path on every node, so that runs work in it and go on from their last
        checkpoint; otherwise it is sent to the node, and back at the end.
    """

    kind: Literal["ray"] = "ray"
    address: str | None = None
    cpus: float = 1
    gpus: float = 0
    memory_gb: float | None = None
    shared: bool = False

    def launcher(self, function: str, modules: Sequence[str], work: Path) -> Launcher:
        try:
            import ray
        except ImportError:
            raise MissingExtraError("--engine ray needs Ray; pip install 'hrm-lab[ray]'") from None
        if not ray.is_initialized():
            address = self.address or os.environ.get("RAY_ADDRESS") or "auto"
            try:
                _reach(address)
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
            except (OSError, RuntimeError, ValueError) as error:
                raise ConfigError(
                    f"no Ray cluster answers at '{address}' ({_first_line(error)}); start one with `ray start --head`, "
                    "or name it: --engine ray,address=HOST:PORT"
                ) from None
        return _Launcher(self, Order.of(function, modules))


class _Launcher(Launcher):
    def __init__(self, engine: Ray, order: Order) -> None:
        import ray

        memory = None if engine.memory_gb is None else int(engine.memory_gb * 1e9)
        needs: dict[str, Any] = {"num_cpus": engine.cpus, "num_gpus": engine.gpus, "memory": memory}
        self.task: Any = ray.remote(max_retries=0, **needs)(call if engine.shared else call_on_copy)
        self.shared, self.order = engine.shared, order

    def start(self, folder: Path) -> Job:
        what = str(folder.resolve()) if self.shared else pack(folder)
        return _Job(self.task.remote(self.order, what), folder)


class _Job(Job):
    def __init__(self, reference: Any, folder: Path) -> None:
        self.reference, self.folder = reference, folder

    def outcome(self) -> Outcome | None:
        import ray
        from ray import exceptions

        if not ray.wait([self.reference], timeout=0)[0]:
            return None
        try:
            answer = ray.get(self.reference)
        except (exceptions.RayTaskError, exceptions.TaskCancelledError) as error:
            return Outcome(reason=str(getattr(error, "cause", None) or _first_line(error)))
        except exceptions.RayError as error:  # node, worker or object gone
            return Outcome(reason=f"{type(error).__name__}: {_first_line(error)}", lost=True)
        text, packed = (answer, None) if isinstance(answer, str) else answer
        if packed is not None:
            unpack(packed, self.folder)
        return Outcome.read(text)

    def stop(self) -> None:
        import ray

        with suppress(Exception):  # it may be over, or its node gone
            ray.cancel(self.reference, force=True)

    def close(self, patience: float) -> None:
        until = time.monotonic() + patience
        while self.outcome() is None and time.monotonic() < until:
            time.sleep(0.1)


def _reach(address: str) -> None:
    """Ray ends the whole process where nothing listens; this raises OSError."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and (number := whole(port)) is not None:
        socket.create_connection((host, number), timeout=10).close()


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
