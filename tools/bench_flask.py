"""One bare Flask route, the measure for the service's own: no contract, no validation."""

from flask import Flask

app = Flask(__name__)


@app.route("/sum/<int:a>/<int:b>")
def add(a: int, b: int) -> str:
    """Return the sum as text."""
    return str(a + b)
