"""What Prometheus is told."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from hrmlab.web.protocol import Found, Late, Turn

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SEGMENTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256)
TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The measures of one server, in a registry of its own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.requests = Counter("hrm_requests", "Requests to /solve, by status", ["status"], registry=registry)
        self.seconds = Histogram(
            "hrm_request_seconds", "From a request to /solve to its answer", buckets=SECONDS, registry=registry
        )
        self.puzzles = Counter("hrm_puzzles", "Puzzles, by what became of them", ["outcome"], registry=registry)
        self.segments = Histogram("hrm_segments", "Segments of an answer", buckets=SEGMENTS, registry=registry)
        self.segment = Histogram("hrm_segment_seconds", "Of all slots", buckets=SECONDS, registry=registry)
        self.working = Gauge("hrm_working", "Puzzles in slots", registry=registry)
        self.waiting = Gauge("hrm_waiting", "Puzzles waiting for a slot", registry=registry)
        self.restarts = Gauge("hrm_restarts", "Times that a process which solves was started again", registry=registry)

    def turned(self, turn: Turn) -> None:
        """Count what a segment came to."""
        self.segment.observe(turn.seconds)
        for said in turn.said:
            if isinstance(said, Found):
                self.puzzles.labels({True: "solved", False: "wrong", None: "unchecked"}[said.solved]).inc()
                self.segments.observe(said.segments)
            elif isinstance(said, Late):
                self.puzzles.labels("late").inc()

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)
