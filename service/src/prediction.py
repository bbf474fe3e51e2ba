"""Predict the species of an iris from four measurements."""

from __future__ import annotations

import math
from typing import Any

import flask
from connexion.exceptions import BadRequestProblem, ProblemException

from src import examples, model, spec


def get(**query: float) -> flask.Response | dict[str, Any]:
    """Answer the HTML form, or, with all four measurements, the prediction.

    ``query`` holds the measurements given, in cm, within the limits of
    ``master.yml``.
    """
    if not query:
        form = flask.render_template("prediction.html", fields=form_fields())
        # A response of its own, because connexion would label a text as JSON.
        return flask.make_response(form)
    missing = [name for name in model.FEATURES if name not in query]
    if missing:
        raise BadRequestProblem(detail=f"Missing measurements: {', '.join(missing)}")
    return predict(query)


def post(body: dict[str, float]) -> dict[str, Any]:
    """Return the prediction for the measurements in ``body``, in cm."""
    return predict(body)


def predict(measurements: dict[str, float]) -> dict[str, Any]:
    """Return the likeliest class, the probability of each, the model version.

    Raises:
        BadRequestProblem: a measurement is not a number.
        ProblemException: 503, the model is missing or damaged.

    """
    values = [measurements[name] for name in model.FEATURES]
    refuse_nan(values)
    try:
        trained = model.load()
    except model.ModelUnavailableError:
        raise ProblemException(status=503, detail="The model is not loaded.") from None
    chances = model.probabilities(trained.weights, trained.biases, values)
    return {
        "class": trained.classes[chances.index(max(chances))],
        "probabilities": dict(zip(trained.classes, chances)),
        "model_version": trained.version,
    }


def form_fields() -> list[dict[str, Any]]:
    """Return name, label, limits (cm) and example per field of the form."""
    schemas = spec.load()["components"]["schemas"]
    limits = schemas["Centimetres"]
    given = schemas["Measurements"].get("example", {})
    return [
        {
            "name": name,
            "label": name.replace("_", " ").capitalize(),
            "minimum": limits["minimum"],
            "maximum": limits["maximum"],
            "example": given.get(name, examples.of_schema(limits)),
        }
        for name in model.FEATURES
    ]


def refuse_nan(values: list[float]) -> None:
    """Raise BadRequestProblem if one of ``values`` is "not a number"."""
    # NaN is neither below a minimum nor above a maximum, so it passes both.
    if any(math.isnan(value) for value in values):
        raise BadRequestProblem(detail="A measurement must be a number, not NaN.")
