"""A trained model as the arrays that `models.encoding` computes with."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from models.encoding.weights import ListingWeights, TowerWeights, UserWeights
from models.encoding.weights import Residual as ResidualWeights
from models.towers.listing import Residual
from models.towers.two_tower import TwoTower

Float32 = npt.NDArray[np.float32]


def exported(model: TwoTower, popularity: Float32, longest: int) -> TowerWeights:
    """popularity: float32[ids], that of the listing in each row of the id table, 0 in row 0. longest: how many items of
    a history count.
    """
    listing, user = model.listing, model.user
    return TowerWeights(
        ListingWeights(
            _host(listing.ids),
            tuple(_host(table) for table in listing.categories),
            _host(listing.numbers),
            _host(listing.text),
            _residual(listing.residual),
        ),
        UserWeights(
            _host(user.attention).reshape(model.parts, -1),
            _host(user.recency),
            _host(user.empty),
            _residual(user.residual),
            longest,
        ),
        np.asarray(popularity, np.float32),
        0.0 if model.weight is None else float(model.weight[...].mean()),
    )


def _residual(layer: Residual) -> ResidualWeights:
    inner = _host(layer.inner)
    return ResidualWeights(inner, _host(layer.offset).reshape(len(inner), -1), _host(layer.outer))


def _host(parameter: Any) -> Float32:
    value: jax.Array = parameter[...]
    return np.array(value, np.float32)
