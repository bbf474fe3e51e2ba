"""The web service: ``create_app()`` builds it, gunicorn serves it.

``python server.py`` serves it with Flask's own server instead, for learning
only: that server is slow and not hardened.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import connexion
from src import docs, fast_path, favicon, guard, index, keep, problem, settings, spec
from src.json_provider import JsonProvider
from src.turns import Turns
from src.validation import VALIDATORS

if TYPE_CHECKING:
    import flask


def create_app() -> flask.Flask:
    """Return the service as a Flask (WSGI) application.

    Raises:
        connexion.exceptions.InvalidSpecification: ``master.yml`` is not a
            valid OpenAPI document.

    """
    # A client's mistake is answered with 4xx; it is not an error of the service.
    logging.getLogger("connexion.decorators.validation").setLevel(logging.CRITICAL)

    resolver = fast_path.Resolver()
    connexion_app = connexion.FlaskApp(__name__, specification_dir=".", resolver=resolver)
    connexion_app.add_api(
        spec.load(),
        strict_validation=True,
        validate_responses=True,
        validator_map=VALIDATORS,
    )
    app: flask.Flask = connexion_app.app
    app.json = JsonProvider(app)
    app.add_url_rule("/", "index", index.get)
    app.add_url_rule(favicon.PATH, "favicon", keep.once(favicon.get))
    guard.register(app)
    problem.register(app)
    docs.register(app)
    keep.register(app)
    fast_path.register(app, resolver)
    index.prepare(app)
    app.wsgi_app = Turns(app.wsgi_app)  # type: ignore[method-assign] # the way that Flask documents
    return app


if __name__ == "__main__":
    create_app().run(port=settings.read_ports().container)
