"""Load the trained classifier of irises, and calculate with it.

The model is a softmax regression: one weighted sum of the measurements per
species, turned into probabilities. ``train.py`` computes the weights.
"""

from __future__ import annotations

import hashlib
import json
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

from src.settings import SERVICE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

MODEL_FILE = SERVICE_FOLDER / "data" / "model.json"

# In centimetres, in the order of the columns of data/iris.csv.
FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")

VERSION_LENGTH = 12


class ModelUnavailableError(Exception):
    """The model file is missing or damaged."""


class Model(NamedTuple):
    """A trained softmax regression.

    ``classes`` has one name per class, ``weights`` one row per class with one
    number (1/cm) per feature, ``biases`` one number per class.
    """

    version: str
    classes: list[str]
    weights: list[list[float]]
    biases: list[float]


@lru_cache(maxsize=None)
def load(file: Path = MODEL_FILE) -> Model:
    """Return the model in ``file``; a success is remembered, a failure is not.

    Raises:
        ModelUnavailableError: the file is missing or damaged.

    """
    try:
        content = file.read_bytes()
        return _build(json.loads(content.decode("utf-8")), version_of(content))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailableError(f"cannot load the model: {error}") from error


def version_of(content: bytes) -> str:
    """Return a short fingerprint: other coefficients, other version."""
    return hashlib.sha256(content).hexdigest()[:VERSION_LENGTH]


def _build(values: dict[str, Any], version: str) -> Model:
    classes, weights, biases = values["classes"], values["weights"], values["biases"]
    if not len(classes) == len(weights) == len(biases):
        raise ValueError("classes, weights and biases differ in length")
    if any(len(row) != len(FEATURES) for row in weights):
        raise ValueError(f"a row of weights does not have {len(FEATURES)} numbers")
    if not all(math.isfinite(number) for row in [*weights, biases] for number in row):
        raise ValueError("a coefficient is not a finite number")
    return Model(version, classes, weights, biases)


def probabilities(
    weights: Sequence[Sequence[float]],
    biases: Sequence[float],
    measurements: Sequence[float],
) -> list[float]:
    """Return one probability per class; their sum is 1.

    ``measurements`` has one number per feature, ``weights`` and ``biases``
    are shaped as in ``Model``.
    """
    scores = [
        bias + sum(weight * value for weight, value in zip(row, measurements))
        for row, bias in zip(weights, biases)
    ]
    return softmax(scores)


def softmax(scores: Sequence[float]) -> list[float]:
    """Return ``exp(score)`` of each score, divided by their sum."""
    # Subtracting the highest score changes no result, but keeps exp() from
    # overflowing.
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]
