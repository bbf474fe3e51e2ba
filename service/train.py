"""Train the iris classifier: ``python train.py`` rewrites data/model.json.

Method: softmax regression, fitted by gradient descent. There is no random
number in it, so that anybody who runs it gets the committed file again.
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, List, NamedTuple, Sequence

from src.model import FEATURES, MODEL_FILE, probabilities
from src.settings import SERVICE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

DATA_FILE = SERVICE_FOLDER / "data" / "iris.csv"

# Every fifth flower is held out: accuracy counts only on unseen flowers.
TEST_EVERY = 5
STEPS = 400
LEARNING_RATE = 1.0
# Pulls weights towards 0, or else they grow for ever: setosa is separable.
PENALTY = 0.001
# Mathematics libraries differ in the last of 16 digits; 6 are safe to compare.
DECIMALS = 6

Row = List[float]


class Dataset(NamedTuple):
    """Flowers: ``rows`` in cm, and for each the index of its class."""

    classes: list[str]
    rows: list[Row]
    labels: list[int]


def read_dataset(file: Path = DATA_FILE) -> Dataset:
    """Return the data set.

    The first line of ``file`` is: number of rows, number of features, names of
    the classes. Each other line is: one number per feature, index of the class.
    """
    with file.open(encoding="utf-8", newline="") as stream:
        header, *lines = csv.reader(stream)
    return Dataset(
        classes=header[2:],
        rows=[[float(cell) for cell in line[:-1]] for line in lines],
        labels=[int(line[-1]) for line in lines],
    )


def split(data: Dataset) -> tuple[Dataset, Dataset]:
    """Return the flowers to train with, and those to test with."""
    train = [i for i in range(len(data.rows)) if i % TEST_EVERY != 0]
    test = [i for i in range(len(data.rows)) if i % TEST_EVERY == 0]
    return _select(data, train), _select(data, test)


def _select(data: Dataset, indices: Sequence[int]) -> Dataset:
    return Dataset(
        classes=data.classes,
        rows=[data.rows[i] for i in indices],
        labels=[data.labels[i] for i in indices],
    )


def mean_and_deviation(rows: Sequence[Row]) -> tuple[Row, Row]:
    """Return the mean and the standard deviation of every feature, in cm."""
    columns = list(zip(*rows))
    means = [sum(column) / len(column) for column in columns]
    variances = [
        sum((value - mean) ** 2 for value in column) / len(column)
        for column, mean in zip(columns, means)
    ]
    return means, [variance**0.5 for variance in variances]


def fit(data: Dataset) -> tuple[list[Row], Row]:
    """Return weights (one row per class) and biases (one number per class)."""
    weights = [[0.0] * len(FEATURES) for _ in data.classes]
    biases = [0.0] * len(data.classes)
    for _ in range(STEPS):
        weight_slopes, bias_slopes = slopes(data, weights, biases)
        for row, row_slopes in zip(weights, weight_slopes):
            descend(row, row_slopes)
        descend(biases, bias_slopes)
    return weights, biases


def descend(numbers: Row, number_slopes: Row) -> None:
    """Move each of ``numbers`` one step downhill, in place."""
    for i, slope in enumerate(number_slopes):
        numbers[i] -= LEARNING_RATE * slope


def slopes(
    data: Dataset,
    weights: Sequence[Row],
    biases: Row,
) -> tuple[list[Row], Row]:
    """Return the gradient of the loss, shaped like weights and biases.

    Loss: mean cross-entropy plus half the penalty times the squared weights.
    """
    weight_slopes = [[PENALTY * weight for weight in row] for row in weights]
    bias_slopes = [0.0] * len(biases)
    for row, label in zip(data.rows, data.labels):
        for k, probability in enumerate(probabilities(weights, biases, row)):
            error = (probability - (k == label)) / len(data.rows)
            bias_slopes[k] += error
            for j, value in enumerate(row):
                weight_slopes[k][j] += error * value
    return weight_slopes, bias_slopes


def accuracy(data: Dataset, weights: Sequence[Row], biases: Row) -> float:
    """Return the share of flowers, 0 to 1, whose most likely class is right."""
    hits = 0
    for row, label in zip(data.rows, data.labels):
        chances = probabilities(weights, biases, row)
        hits += chances.index(max(chances)) == label
    return hits / len(data.rows)


def train(data: Dataset) -> dict[str, Any]:
    """Return the trained model, as stored in data/model.json."""
    training, test = split(data)
    means, deviations = mean_and_deviation(training.rows)
    # Features of like size let gradient descent move straight to the minimum.
    scaled = training._replace(
        rows=[[(v - m) / d for v, m, d in zip(row, means, deviations)] for row in training.rows]
    )
    weights, biases = unscale(*fit(scaled), means, deviations)
    return {
        "classes": data.classes,
        "features": list(FEATURES),
        "weights": weights,
        "biases": biases,
        "test_accuracy": round(accuracy(test, weights, biases), DECIMALS),
    }


def unscale(
    weights: Sequence[Row],
    biases: Row,
    means: Row,
    deviations: Row,
) -> tuple[list[Row], Row]:
    """Return weights and biases that take centimetres, rounded.

    ``w * (x - mean) / deviation`` equals ``(w / deviation) * x`` minus
    ``(w / deviation) * mean``: the latter moves into the bias.
    """
    per_cm = [[w / d for w, d in zip(row, deviations)] for row in weights]
    moved = [
        bias - sum(w * mean for w, mean in zip(row, means)) for row, bias in zip(per_cm, biases)
    ]
    return [_rounded(row) for row in per_cm], _rounded(moved)


def _rounded(numbers: Row) -> Row:
    return [round(number, DECIMALS) for number in numbers]


def to_json(model: dict[str, Any]) -> str:
    """Return the text of data/model.json."""
    return json.dumps(model, indent=2) + "\n"


if __name__ == "__main__":
    MODEL_FILE.write_text(to_json(train(read_dataset())), encoding="utf-8")
