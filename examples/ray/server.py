"""Replicas of `hrm serve` on a Ray cluster: in this folder `serve run server:server`.

It wants `pip install 'ray[serve]' 'hrm-lab[web]'`. Ray balances requests between the replicas, keeps as many as are
asked for, and lets them finish when it replaces them. Each has an HTTP front and a process that solves; HRM_RUN names
the run.
"""

import os

from ray import serve

from hrmlab.web.app import Guard, application
from hrmlab.web.front import Front
from hrmlab.web.limits import Limits
from hrmlab.web.metrics import Metrics
from hrmlab.web.protocol import Job
from hrmlab.web.worker import Worker


def replica() -> Guard:
    metrics = Metrics()
    job = Job(os.environ.get("HRM_RUN", "sudoku-6x6"), threads=1)
    front = Front([Worker(job, metrics.turned)], Limits())
    return application(front, metrics, os.environ.get("HRM_TOKEN"), starts=True)


@serve.deployment(num_replicas=2, max_ongoing_requests=100, ray_actor_options={"num_cpus": 1, "num_gpus": 0})
@serve.ingress(replica)
class Server:
    """The replica's methods are those of the application."""


server = Server.bind()
