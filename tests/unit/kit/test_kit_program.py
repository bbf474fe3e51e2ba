"""A program does not notice that the kit runs it: it sees what it sees as `python server.py`."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from launched import environment, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from launched import Launched

LOOK = """
import json, os, random, sys

main = sys.modules["__main__"]
seen = {
    "argv": sys.argv,
    "path": sys.path,
    "name": __name__,
    "file": __file__,
    "package": __package__,
    "spec": getattr(__spec__, "name", None),
    "loader": type(__loader__).__name__,
    "names": sorted(name for name in vars() if name != "main"),
    "main": main.__dict__ is globals(),
    "folder": os.getcwd(),
    "variables": sorted(os.environ),
}
random.seed(5)
print(json.dumps(seen))
"""


def plain(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program as its author does."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment(9000),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "words", [("server.py",), ("web/server.py", "--fast"), ("-m", "shelf", "x"), ("-m", "server")]
)
def test_a_program_sees_what_it_sees_without_the_kit(
    launch: Callable[..., Launched], tmp_path: Path, words: tuple[str, ...]
) -> None:
    names = ("server.py", "web/server.py", "shelf/__main__.py", "shelf/__init__.py")
    write(tmp_path, dict.fromkeys(names, LOOK))
    launched = launch(*words)
    launched.code()
    assert launched.out == plain(tmp_path, *words).stdout
    assert '"argv"' in launched.out


CRASHES = {
    "in the program": {"server.py": "import json\n\n\ndef go():\n    json.loads('x')\n\n\ngo()\n"},
    "in another file": {"server.py": "import web\n", "web.py": "1 / 0\n"},
    "a syntax error": {"server.py": "import web\n", "web.py": "def (\n"},
    "in the program's syntax": {"server.py": "def (\n"},
}


@pytest.mark.parametrize("crash", CRASHES)
def test_a_crash_has_the_traceback_that_it_has_without_the_kit(
    launch: Callable[..., Launched], tmp_path: Path, crash: str
) -> None:
    launched = launch("server.py", **CRASHES[crash])
    assert launched.code() == 1

    def told(text: str) -> list[str]:
        # Python names the program by its path since 3.9.
        return text.replace(str(tmp_path) + "/", "").splitlines()

    assert told(launched.err) == told(plain(tmp_path, "server.py").stderr)


PICKLED = """
import pickle
from flask import Flask


class Model:
    answer = "hello"


app = Flask(__name__)
text = pickle.dumps(Model())


@app.route("/")
def home():
    import __main__
    return pickle.loads(text).answer + " " + __main__.Model.__module__ + " " + app.root_path


app.run()
print("after")
"""


def test_what_is_pickled_belongs_to_the_program(
    launch: Callable[..., Launched], tmp_path: Path
) -> None:
    launched = launch("server.py", **{"server.py": PICKLED})
    assert launched.wait() == (200, f"hello __main__ {tmp_path}")
    launched.stop()
    assert "after" not in launched.out


SEEDED = """
import random
from flask import Flask

app = Flask(__name__)
random.seed(5)
first = random.random()
random.seed(5)


@app.route("/")
def home():
    return str(random.random() == first)


try:
    app.run()
finally:
    print("cleaned up")
"""


def test_the_programs_own_seed_counts_and_its_end_comes_at_the_end(
    launch: Callable[..., Launched],
) -> None:
    launched = launch("server.py", **{"server.py": SEEDED})
    assert launched.wait() == (200, "True")
    assert "cleaned up" not in launched.out
    assert launched.stop()[0] == 0
    assert launched.out.endswith("cleaned up\n")


@pytest.mark.parametrize("is_told", [False, True])
def test_a_signal_ends_a_connection_with_its_next_answer(
    launch: Callable[..., Launched], is_told: bool
) -> None:
    launched = launch("server.py", **{"server.py": SEEDED})
    launched.wait()
    client = http.client.HTTPConnection("127.0.0.1", launched.port, timeout=5)
    client.auto_open = 0  # it never connects again by itself
    client.connect()
    ends = []
    for _ in range(2):
        client.request("GET", "/")
        answer = client.getresponse()
        answer.read()
        ends.append(answer.will_close)
        if is_told:
            launched.process.send_signal(signal.SIGUSR1)
            time.sleep(0.3)
    assert ends == [False, is_told]
    assert launched.get()[0] == 200


def test_an_end_that_takes_too_long_is_cut_short(launch: Callable[..., Launched]) -> None:
    text = SEEDED.replace('print("cleaned up")', "import threading; threading.Event().wait()")
    launched = launch("server.py", **{"server.py": text})
    launched.wait()
    code, seconds = launched.stop()
    assert code == 0
    assert seconds < 5


def test_a_program_that_still_starts_ends_at_once(launch: Callable[..., Launched]) -> None:
    launched = launch("server.py", **{"server.py": "import time\nprint(1)\ntime.sleep(60)"})
    launched.wait_for("1")
    code, seconds = launched.stop()
    assert code == 0
    assert seconds < 1


MODULES = ("capture", "program", "server", "relay", "health", "launch")


def test_a_module_may_be_called_as_one_of_the_kit(launch: Callable[..., Launched]) -> None:
    files = {f"{name}.py": "here = True" for name in MODULES}
    imports = "\n".join(f"import {name}; print({name}.here)" for name in MODULES)
    launched = launch("main.py", **files, **{"main.py": imports})
    launched.code()
    assert launched.out.split() == ["True"] * len(MODULES)


def test_a_second_server_waits(launch: Callable[..., Launched]) -> None:
    text = """
    import threading
    from flask import Flask

    app = Flask(__name__)
    app.add_url_rule("/", "home", lambda: "hello")
    threading.Thread(target=app.run, daemon=True).start()
    threading.Event().wait(0.5)
    Flask("other").run(port=1)
    """
    launched = launch("server.py", **{"server.py": text})
    assert launched.wait() == (200, "hello")
    launched.wait_for("A second server was not started")
    assert launched.get() == (200, "hello")
