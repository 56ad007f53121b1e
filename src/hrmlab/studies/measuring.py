"""How the trained models of a study are measured: a halting policy, and tries at each puzzle that vote."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hrmlab.config import override
from hrmlab.errors import ConfigError
from hrmlab.halting import HaltingConfig
from hrmlab.inference.attempts import Vary
from hrmlab.registry import Strict
from hrmlab.training.config import RunConfig


@dataclass(frozen=True, kw_only=True)
class Voting(Strict):
    """attempts: tries at each puzzle, of which the answer counts that most of them give. vary: what makes them differ
    (`inference.attempts`)."""

    attempts: int = 1
    vary: Vary = "start"

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ConfigError(f"voting.attempts={self.attempts} came; wanted 1 or more")


@dataclass(frozen=True, kw_only=True)
class Measuring(Strict):
    """A column of the train x evaluate matrix."""

    halting: HaltingConfig
    voting: Voting = Voting()


def measuring(config: RunConfig, name: str, overrides: Sequence[str]) -> Measuring:
    """From an evaluation's overrides: of `evaluation.*`, and of `voting.*`.

    Raises:
        ConfigError: overrides that do not fit, or that change the training.
    """
    votes = [word for word in overrides if word.startswith("voting.")]
    changed = override(config, [word for word in overrides if word not in votes])
    if replace(changed, evaluation=config.evaluation) != config:
        raise ConfigError(
            f"evaluation '{name}' changes the training; wanted overrides of evaluation.* and voting.* alone"
        )
    voting = override(Voting(), [word.removeprefix("voting.") for word in votes])
    return Measuring(halting=changed.evaluation, voting=voting)
