"""Show the icon that browsers ask for, whichever page they show."""

from __future__ import annotations

import flask

# Browsers go by the media type, not by the ending.
PATH = "/favicon.ico"
SVG = "image/svg+xml"


def get() -> flask.Response:
    """Answer the icon as a drawing, which is sharp at any size."""
    return flask.Response(flask.render_template("favicon.svg"), mimetype=SVG)
