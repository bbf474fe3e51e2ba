"""Write JSON as connexion does, without looking up its settings for each answer."""

from __future__ import annotations

import json
from typing import Any

from connexion.apps.flask_app import FlaskJSONEncoder
from flask.json.provider import DefaultJSONProvider


class JsonProvider(DefaultJSONProvider):
    """Writes whatever connexion's encoder can write, such as times and decimal numbers.

    Flask would look up that encoder again for each answer, and warn that the setting is an
    old one: that takes half of the time of writing a short answer (measured).
    """

    def default(self, value: Any) -> Any:  # noqa: ANN401 - any value
        """Return ``value``, which JSON has no type for, as one that it has.

        Raises:
            TypeError: connexion's encoder does not know the type either.

        """
        # Making an encoder would give the same warning; this method of it needs none.
        return FlaskJSONEncoder.default(self, value)

    def dumps(self, obj: Any, **options: Any) -> str:  # noqa: ANN401 - any JSON value
        """Return ``obj`` as JSON; the options are those of ``json.dumps``."""
        usual = {
            "default": self.default,
            "ensure_ascii": self.ensure_ascii,
            "sort_keys": self.sort_keys,
        }
        return json.dumps(obj, **{**usual, **options})
