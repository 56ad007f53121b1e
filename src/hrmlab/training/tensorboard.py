"""A run's metrics for TensorBoard too, beside metrics.jsonl."""

from pathlib import Path
from typing import Any

from hrmlab.errors import MissingExtraError


class Mirror:
    """Writes numbers as TensorBoard events into a folder.

    Args:
        step: the run's present step; what an earlier, interrupted try wrote after it is hidden.

    Raises:
        MissingExtraError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise MissingExtraError(
                "training.tensorboard needs TensorBoard: pip install 'hrm-lab[tensorboard]'"
            ) from None
        self._writer = SummaryWriter(str(folder), purge_step=step + 1, flush_secs=10)

    def add(self, step: int, values: dict[str, Any], prefix: str = "") -> None:
        """Every number of a record, nested ones as `outer/inner`; lists are left to metrics.jsonl."""
        for name, value in values.items():
            if isinstance(value, dict):
                self.add(step, value, f"{prefix}{name}/")
            elif isinstance(value, (int, float)):
                self._writer.add_scalar(f"{prefix}{name}", value, step)

    def close(self) -> None:
        self._writer.close()
