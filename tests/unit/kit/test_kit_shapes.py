"""However a program starts its server, the kit serves its app: one row per shape."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from launched import Launched

FLASK = """
from flask import Flask

app = Flask(__name__)


@app.route("/")
def home():
    return "hello"


"""
CONNEXION = """
import connexion

app = connexion.App(__name__, specification_dir="specs/")
app.add_api("spec.yml")


"""
SPEC = """
openapi: 3.0.0
info: {title: hello, version: "1"}
paths:
  /:
    get:
      operationId: hello.answer
      responses: {"200": {description: text, content: {text/plain: {schema: {type: string}}}}}
"""
HELLO = 'def answer():\n    return "hello"\n'
# Packages that this machine does not have: the kit looks at their names only.
WAITRESS = """
def serve(app, **words):
    raise SystemExit("not captured")
"""
SOCKETIO = """
class SocketIO:
    def __init__(self, app):
        pass

    def run(self, app, **words):
        raise SystemExit("not captured")
"""
IF_MAIN = 'if __name__ == "__main__":\n    '

# How a program with a Flask app `app` may end.
FLASK_ENDS = {
    "run": IF_MAIN + "app.run()",
    "debug and reloader": IF_MAIN + "app.run('127.0.0.1', 5000, debug=True, use_reloader=True)",
    "run at import": "app.run(port=8000)",
    "run in a function": "def main():\n    app.run()\n\n\nmain()",
    "run in a thread": """
import threading
threading.Thread(target=app.run).start()
""",
    "run in a daemon while the program goes on": """
import threading, time
threading.Thread(target=app.run, daemon=True).start()
while True:
    time.sleep(0.1)
""",
    "run in a process": """
import multiprocessing
multiprocessing.get_context("fork").Process(target=app.run).start()
""",
    "a subclass that runs itself": """
class Mine(Flask):
    def run(self):
        super().run(port=1)


app.__class__ = Mine
app.run()
""",
    "run_simple": """
from werkzeug.serving import run_simple
run_simple("localhost", 4000, app, use_reloader=True)
""",
    "make_server": """
from werkzeug.serving import make_server
make_server("127.0.0.1", 0, app).serve_forever()
""",
    "wsgiref": """
from wsgiref.simple_server import make_server
make_server("", 0, app).serve_forever()
""",
    "waitress": "from waitress import serve\nserve(app, port=1)",
    "flask_socketio": "from flask_socketio import SocketIO\nSocketIO(app).run(app, port=1)",
    "gevent": """
from gevent.pywsgi import WSGIServer
WSGIServer(("", 0), app).serve_forever()
""",
    "no start": "",
    "an end that is said to be good": "import sys\nsys.exit(0)",
}
# How a program with connexion's app `app` may end.
CONNEXION_ENDS = {
    "connexion": IF_MAIN + "app.run(port=8000, debug=True)",
    "connexion with tornado": "app.run(server='tornado')",
    "connexion with gevent": "app.run(server='gevent', port=0)",
    "connexion's flask app": "app.app.run()",
    "connexion and no start": "application = app.app",
}
SERVER = ("server.py",)
WSGIREF = """
from wsgiref.simple_server import make_server

def hello(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]

make_server("", 0, hello).serve_forever()
"""
PATCHED = "from gevent import monkey\nmonkey.patch_all()\n" + FLASK + "app.run(debug=True)"
PACKAGE = {
    "shelf/__init__.py": "",
    "shelf/__main__.py": CONNEXION + "def main():\n    app.run()\n\n\nmain()",
    "shelf/specs/spec.yml": SPEC,
    "hello.py": HELLO,
}

SHAPES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    **{
        name: (
            SERVER,
            {"server.py": FLASK + end, "waitress.py": WAITRESS, "flask_socketio.py": SOCKETIO},
        )
        for name, end in FLASK_ENDS.items()
    },
    **{
        name: (SERVER, {"server.py": CONNEXION + end, "specs/spec.yml": SPEC, "hello.py": HELLO})
        for name, end in CONNEXION_ENDS.items()
    },
    "run in another file": (
        SERVER,
        {"server.py": "import web\nweb.main()", "web.py": FLASK + "def main():\n    app.run()"},
    ),
    "gevent, everything patched": (SERVER, {"server.py": PATCHED}),
    "no flask": (SERVER, {"server.py": WSGIREF}),
    "an app of another name": (SERVER, {"server.py": FLASK.replace("app", "application")}),
    "a factory": (
        SERVER,
        {
            "server.py": "def create_app():\n    from web import app\n    return app",
            "web.py": FLASK,
        },
    ),
    "python -m flask run": (("-m", "flask", "run"), {"app.py": FLASK + "app.run()"}),
    "FLASK_APP=service.py flask run": (
        ("FLASK_APP=service.py", "-m", "flask", "run", "--host=0.0.0.0", "--reload"),
        {"service.py": FLASK},
    ),
    "module:app": (("server:app",), {"server.py": FLASK}),
    "module:factory()": (
        ("web.server:create()",),
        {"web/server.py": FLASK + "def create():\n    return app"},
    ),
    "a package": (("-m", "shelf"), PACKAGE),
    "a file in a folder": (
        ("web/server.py",),
        {"web/server.py": "import hello\n" + FLASK, "web/hello.py": HELLO},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_app_is_served(launch: Callable[..., Launched], shape: str) -> None:
    words, files = SHAPES[shape]
    launched = launch(*words, **files)
    status, body = launched.wait()
    assert (status, body.strip()) in ((200, "hello"), (200, '"hello"')), launched.err
    assert "not captured" not in launched.err
    code, seconds = launched.stop()
    assert code == 0, launched.err
    assert seconds < 1.5


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("import time", 1, "server.py ended: it starts no server"),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('no data')", 1, "no data"),
        ("from threading import *\nThread(target=Event().wait).start()\n1/0", 1, "ZeroDivision"),
        ("import sys\nx = (", 1, "SyntaxError"),
    ],
)
def test_a_program_without_an_app_ends(
    launch: Callable[..., Launched], text: str, code: int, said: str
) -> None:
    launched = launch("server.py", **{"server.py": text})
    assert launched.code() == code
    assert said in launched.err
    assert "classvm_kit" not in launched.err


BUSY = """
from flask import Flask
import threading, time

app = Flask(__name__)
busy = [0]


@app.route("/")
def home():
    busy.append(busy[-1] + 1)
    time.sleep(0.3)
    busy.append(busy[-1] - 1)
    return str(max(busy))


app.run(threaded={threaded})
"""


@pytest.mark.parametrize(("threaded", "most"), [("False", "1"), ("True", "3")])
def test_several_requests_at_a_time(
    launch: Callable[..., Launched], threaded: str, most: str
) -> None:
    launched = launch("server.py", **{"server.py": BUSY.format(threaded=threaded)})
    launched.wait()
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: launched.get()[1], range(3)))
    assert max(answers) == most


FAILS = (
    FLASK
    + """
@app.route("/fail")
def fail():
    return [][1]


app.run(debug=True)
"""
)


def test_a_failed_request_leaves_its_traceback_in_the_log(
    launch: Callable[..., Launched],
) -> None:
    launched = launch("server.py", **{"server.py": FAILS})
    launched.wait()
    status, body = launched.get("/fail")
    assert status == 500
    assert "IndexError" not in body
    assert "return [][1]" in launched.err
    assert launched.err.strip().endswith("IndexError: list index out of range")


def test_an_access_log_has_one_object_per_request_and_no_health_check(
    launch: Callable[..., Launched],
) -> None:
    launched = launch("server.py", **{"server.py": FLASK + "app.run()"})
    launched.wait()
    launched.get("/", agent="classvm-health")
    launched.get("/none?x=1")
    launched.stop()
    entries = [json.loads(line) for line in launched.out.splitlines()]
    assert [(one["target"], one["status"]) for one in entries] == [("/", 200), ("/none?x=1", 404)]
    assert launched.err == ""


IN_MEMORY = """
import sqlite3

from flask import Flask

app = Flask(__name__)
database = sqlite3.connect(":memory:")  # refuses every thread but this one
database.execute("create table words (word text)")
database.execute("insert into words values ('hello')")


@app.route("/")
def home():
    return database.execute("select word from words").fetchone()[0]


app.run(threaded=False)
"""


def test_without_threads_requests_are_answered_in_the_thread_of_the_program(
    launch: Callable[..., Launched],
) -> None:
    launched = launch("server.py", **{"server.py": IN_MEMORY})
    launched.wait()
    assert [launched.get() for _ in range(3)] == [(200, "hello")] * 3
