"""An engine from its name and settings."""

import pytest

from hrmlab.api.places import study_engine
from hrmlab.errors import ConfigError
from hrmlab.studies.engines import Local, Ray, Slurm


def test_a_name_and_settings() -> None:
    assert study_engine("local") == Local()
    assert study_engine("slurm, partition=gpu, gpus=2,memory_gb=1.5") == Slurm(partition="gpu", gpus=2, memory_gb=1.5)
    assert study_engine("ray,address=10.0.0.1:6379,shared=true") == Ray(address="10.0.0.1:6379", shared=True)
    assert study_engine(Ray()) == Ray()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slrum", "did you mean 'slurm'"),
        ("slurm,partition", "'partition' came in --engine slurm,partition; wanted key=value"),
        ("ray,adress=x", "did you mean 'address'"),
        ("slurm,gpus=many", "gpus"),
        ("", "unknown engine ''"),
    ],
)
def test_what_cannot_be_used_is_said(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("'", ".")):
        study_engine(text)


def test_how_many_at_a_time() -> None:
    assert (Local().jobs(None, 7), Local().jobs(3, 7), Slurm().jobs(None, 7), Ray().jobs(2, 7)) == (1, 3, 7, 2)
    with pytest.raises(ConfigError, match="--jobs 0 came"):
        Slurm().jobs(0, 7)
