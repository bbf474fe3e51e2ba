"""The model is what train.py makes of the data, and predicts well."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
import server
import train
from src import model, spec

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

PREDICTION = f"{spec.base_path()}/prediction"
SCHEMAS = spec.load()["components"]["schemas"]
EXAMPLE = SCHEMAS["Measurements"]["example"]
DATA = train.read_dataset()


def test_training_again_gives_the_committed_file() -> None:
    assert train.to_json(train.train(DATA)) == model.MODEL_FILE.read_text()


def test_another_data_set_gives_another_model() -> None:
    changed = DATA._replace(rows=[*DATA.rows[:-1], [9.0, 9.0, 9.0, 9.0]])
    assert train.to_json(train.train(changed)) != model.MODEL_FILE.read_text()


def test_the_data_set_is_complete() -> None:
    assert len(DATA.rows) == len(DATA.labels) == 150
    assert {len(row) for row in DATA.rows} == {len(model.FEATURES)}
    assert [DATA.labels.count(k) for k in range(3)] == [50, 50, 50]


def test_the_accuracy_is_that_on_unseen_flowers() -> None:
    training, test = train.split(DATA)
    loaded = model.load()
    measured = train.accuracy(test, loaded.weights, loaded.biases)
    stored = json.loads(model.MODEL_FILE.read_text())["test_accuracy"]
    assert math.isclose(measured, stored, abs_tol=1e-6)
    assert measured >= 0.9
    assert len(training.rows) + len(test.rows) == len(DATA.rows)


def test_gradient_agrees_with_differences_of_the_loss() -> None:
    data = DATA._replace(rows=DATA.rows[::10], labels=DATA.labels[::10])
    weights = [[0.1 * (k - j) for j in range(4)] for k in range(3)]
    biases = [0.1, -0.2, 0.3]
    weight_slopes, bias_slopes = train.slopes(data, weights, biases)

    def loss() -> float:
        chances = [model.probabilities(weights, biases, row) for row in data.rows]
        picked = [math.log(c[k]) for c, k in zip(chances, data.labels, strict=True)]
        squares = sum(w * w for row in weights for w in row)
        return -sum(picked) / len(picked) + train.PENALTY / 2 * squares

    step = 1e-6
    before = loss()
    weights[1][2] += step
    assert math.isclose((loss() - before) / step, weight_slopes[1][2], abs_tol=1e-4)
    weights[1][2] -= step
    biases[0] += step
    assert math.isclose((loss() - before) / step, bias_slopes[0], abs_tol=1e-4)


def test_names_agree_with_the_contract() -> None:
    assert list(model.FEATURES) == SCHEMAS["Measurements"]["required"]
    assert model.load().classes == SCHEMAS["Prediction"]["properties"]["class"]["enum"]
    assert DATA.classes == model.load().classes


@pytest.mark.parametrize("label", range(3))
def test_get_and_post_agree(client: FlaskClient, label: int) -> None:
    row = DATA.rows[DATA.labels.index(label)]
    measurements = dict(zip(model.FEATURES, row, strict=True))
    posted = client.post(PREDICTION, json=measurements).get_json()
    assert client.get(PREDICTION, query_string=measurements).get_json() == posted
    assert posted["class"] == DATA.classes[label]
    assert math.isclose(sum(posted["probabilities"].values()), 1)
    assert max(posted["probabilities"], key=posted["probabilities"].get) == posted["class"]
    assert posted["model_version"] == model.version_of(model.MODEL_FILE.read_bytes())


class Inputs(HTMLParser):
    """Collects the input elements of a form."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.labels: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "input":
            self.values[found["name"]] = found["value"]
        if tag == "label":
            self.labels.add(found["for"])


def test_the_form_sends_what_the_service_takes(client: FlaskClient) -> None:
    page = client.get(PREDICTION)
    form = Inputs()
    form.feed(page.get_data(as_text=True))
    assert page.mimetype == "text/html"
    assert set(form.values) == form.labels == set(model.FEATURES)
    answer = client.get(PREDICTION, query_string=form.values)
    assert answer.get_json() == client.post(PREDICTION, json=EXAMPLE).get_json()


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        "{}",
        "[]",
        '{"classes": ["a"], "weights": [[1]], "biases": [1]}',
        '{"classes": ["a", "b"], "weights": [[1, 2, 3, 4]], "biases": [1]}',
        '{"classes": ["a"], "weights": [[1, 2, 3, NaN]], "biases": [1]}',
    ],
)
def test_without_a_model_the_service_is_alive_but_not_ready(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "model.json"
    if content is not None:
        file.write_text(content)
    original = model.load
    monkeypatch.setattr(model, "load", lambda: original(file))
    client = server.create_app().test_client()
    for response in (
        client.get(f"{spec.base_path()}/health"),
        client.post(PREDICTION, json=EXAMPLE),
    ):
        assert response.status_code == 503
        assert response.mimetype == "application/problem+json"
        assert str(tmp_path) not in response.get_data(as_text=True)
    assert client.get(f"{spec.base_path()}/hello").status_code == 200


def test_the_version_changes_with_the_coefficients() -> None:
    content = model.MODEL_FILE.read_bytes()
    assert model.version_of(content) != model.version_of(content + b" ")


def test_huge_scores_do_not_overflow() -> None:
    assert model.softmax([1e6, 0.0]) == [1.0, 0.0]
