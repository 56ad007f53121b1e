"""Jobs in Slurm's queue, by way of submitit."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hrmlab.errors import ConfigError, MissingExtraError
from hrmlab.studies.engines.apart import Order, call
from hrmlab.studies.engines.base import ENGINES, Engine, Job, Launcher, Outcome


@ENGINES.register(source="submitit; extra `slurm`")
@dataclass(frozen=True, kw_only=True)
class Slurm(Engine):
    """Jobs in Slurm's queue; the study's folder is on a file system that all nodes see.

    A job whose time is up, or whose node failed, is given in again and goes on from its last checkpoint.

    partition, account, qos: Slurm's; None for its defaults.
    minutes: the limit of each job. cpus, gpus, memory_gb: of each.
    cluster: "local" runs the same jobs as processes of this machine, to try a study before it is queued.
    """

    kind: Literal["slurm"] = "slurm"
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    minutes: int = 240
    cpus: int = 1
    gpus: int = 0
    memory_gb: float | None = None
    cluster: Literal["slurm", "local"] = "slurm"

    def launcher(self, function: str, modules: Sequence[str], work: Path) -> Launcher:
        try:
            import submitit
        except ImportError:
            raise MissingExtraError("--engine slurm needs submitit; pip install 'hrm-lab[slurm]'") from None
        queue = {"partition": self.partition, "account": self.account, "qos": self.qos}
        needs = {"cpus_per_task": self.cpus, "gpus_per_node": self.gpus, "mem_gb": self.memory_gb}
        settings = {f"slurm_{name}": value for name, value in queue.items()} | needs
        try:
            executor = submitit.AutoExecutor(folder=work / "slurm", cluster=self.cluster)
        except RuntimeError:
            raise ConfigError(
                "Slurm's commands (sbatch, srun) are not on this machine; type this on a login node, or try the study "
                "here with --engine slurm,cluster=local"
            ) from None
        executor.update_parameters(
            name="hrm",
            timeout_min=self.minutes,
            **{name: value for name, value in settings.items() if value is not None},
        )
        return _Launcher(executor, Order.of(function, modules))


class _Launcher(Launcher):
    def __init__(self, executor: Any, order: Order) -> None:
        self.executor, self.order = executor, order

    def start(self, folder: Path) -> Job:
        return _Job(self.executor.submit(call, self.order, str(folder.resolve())))


class _Job(Job):
    def __init__(self, job: Any) -> None:
        self.job = job

    def outcome(self) -> Outcome | None:
        from submitit.core.utils import FailedJobError, UncompletedJobError

        if not self.job.done():
            return None
        try:
            return Outcome.read(self.job.result())
        except FailedJobError as error:  # the function raised
            return Outcome(reason=str(error).strip().splitlines()[-1])
        except UncompletedJobError:  # it was ended: by its limit, a failed node, or somebody
            return Outcome(reason=f"job {self.job.job_id} ended as {self.job.state} without a result", lost=True)

    def stop(self) -> None:
        self.job.cancel(check=False)

    def close(self, patience: float) -> None:
        until = time.monotonic() + patience
        while not self.job.done() and time.monotonic() < until:
            time.sleep(0.2)
