"""The products of a model are those that its operations come from."""

from collections.abc import Callable
from typing import Any

import pytest

from hrmlab.analysis.products import products
from hrmlab.core.cost import costs
from hrmlab.core.model import HRM

Make = Callable[..., Any]


def test_products_add_up_to_a_segment(make_spec: Make, make_model: Make, make_batch: Make) -> None:
    model: HRM = make_model(make_spec(), symbols=True)
    found = products(model, make_batch(model.spec, 2), 0.0, most=99)
    work = sum(at.calls * 2 * at.shape[0] * at.shape[1] * at.shape[2] * at.shape[3] for at in found)
    assert work == pytest.approx(2 * costs(model.config, model.spec).segment(model.schedule), rel=0.02)
    assert all(at.flops > 0 for at in found)


def test_intensity_counts_every_operand_once(make_spec: Make, make_model: Make, make_batch: Make) -> None:
    model: HRM = make_model(make_spec())
    found = products(model, make_batch(model.spec, 2), 0.0)
    for at in found:
        batch, rows, inner, columns = at.shape
        moved = 4 * batch * (rows * inner + inner * columns + rows * columns)
        assert at.intensity == 2 * batch * rows * inner * columns / moved
