"""Whatever a student writes, the readers have an answer, and have it within a second.

Texts are put together from fragments that mean something to the readers, whole and cut off: random
bytes alone (test_review.py) seldom get beyond the first line.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
from classvm.app import adopt
from classvm.app.formats import FORMATS
from classvm.app.plan import make_plan
from classvm.app.review import review
from hypothesis import given, settings, strategies

HOST_PORT = 4711
SECONDS = 1
# By file, one in each line.
LINES = {
    "Dockerfile": r"""
FROM ubuntu:18.04
FROM a AS b
FROM --platform=x
ROM
RUN apt-get install -y \
figlet
RUN <<EOF
EOF
EXPOSE 80-90 $P
EXPOSE 99999999999
CMD ["python",
]
CMD python -m shelf
ENV A=b 'c
ENTRYPOINT {}
RUN pip install ./a ./
RUN curl http://a/get-pip.py
WORKDIR ..
COPY . /src
#
\
USER 0
HEALTHCHECK
""",
    "server.py": r"""
import connexion
from flask import Flask as F
from . import a
from .. import *
from server import server
app = connexion.App(__name__, specification_dir=
'x'
)
app.add_api('a.yml', base_path=app)
app.run(port=app, host=1)
app: F = F('a')
if __name__ == '__main__':
    app.run(9, debug=True)
def f(a, /, *b, c=1, **d):
    return {'a': 1, **f()}, 999
    X.append(X)
X = X = []
X += 1
@app.route('/')
class A(A): pass
open(X + 'a', 'w')
os.makedirs(os.path.join(X, X))
time.sleep(-1)
sqlite3.connect(f'{X}/a.db')
model.fit(1)
MongoClient('mongo', *X)
lambda: (yield)
X = os.environ.get(X, X)
getpass.getuser()
try:
except:
    pass
@TAB@pass
@NUL@
""",
    "master.yml": r"""
openapi: 3.0.0
swagger: '2.0'
swagger: 2
info: {title: a, version: 1}
paths:
  /a/{b}/<c>:
    get:
    parameters:
      operationId: server.f
      operationId: ..
      parameters: [{name: b, in: path}, {$ref: '#'}, 1, null]
      responses: {200: {content: {application/json: {schema: {$ref: '#/paths'}}}}}
      responses: {'999': null, default: {schema: []}}
      requestBody: {content: []}
components: {schemas: {a: {allOf: [{$ref: '#/components/schemas/a'}]}}}
x: &x [*x]
? [a]
: {b: }
- a
<<: {a: 1}
!!python/object:a {}
...
---
@TAB@
basePath: {}
servers: [{url: '//['}]
'
2024-02-30: !!bool q
""",
    "classvm.yml": r"""
spec: master.yml
spec: [a, ../b]
entry: -m a
entry: [a]
port: 1e99
port: -1
port: true
dockerfile: []
contract: {a: b}
keep: [.]
keep: [a/../b, '']
writable: {}
apt: [--all, 'a b']
apt: 1
kep: a
- a
? {}
null: null
1: 2
""",
    "requirements.txt": r"""
flask
flask==
flask==1.0.x
connexion[swagger-ui >= 2
a @ file:///C:/b
-e .
-r requirements.txt
-r ../../a
-c a.txt
--hash=sha256:0
a \
<<<<<<< HEAD
=======
git+https://a/b
./toolbox
a; python_version <
-i
--find-links
é
#
a==1000000000000000000000000000000
""",
    "Makefile": r"""
start:
@TAB@python server.py
@TAB@docker run -p 1:2 --name mongo a
@TAB@docker run --name \
run-all: a
@TAB@$(MAKE
@TAB@gunicorn server:app
PORT := 1
@TAB@python -m server
:
""",
    "Pipfile": r'''
[packages]
flask = '*'
a = {version = 1}
[[source]]
=
[packages
"""
''',
    "pyproject.toml": r"""
[project]
dependencies = ['flask', 1]
[tool.poetry.dependencies]
a = '^1'
[
""",
}
FRAGMENTS = {
    name: [
        line.replace("@TAB@", "\t").replace("@NUL@", "\0") for line in text.strip("\n").split("\n")
    ]
    for name, text in LINES.items()
}


def text_of(name: str) -> strategies.SearchStrategy[str]:
    """Return texts of a file: fragments in any order, some of them cut off."""
    whole = strategies.sampled_from(FRAGMENTS[name])
    cut = strategies.builds(lambda line, at: line[:at], whole, strategies.integers(0, 12))
    return strategies.lists(whole | whole | cut, max_size=12).map("\n".join)


def answered(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        started = time.process_time()
        app, findings = review(Path(folder))
        assert make_plan(app, HOST_PORT).notes
        assert all(one.file for one in adopt.additions(app))
        assert all(as_text(findings) for as_text in FORMATS.values())
        assert time.process_time() - started < SECONDS


SERVER = (
    "import connexion\napp = connexion.App('a')\napp.add_api('master.yml')\ndef f(b): return 1\n"
)


@pytest.mark.parametrize("name", FRAGMENTS)
@settings(max_examples=60)
@given(data=strategies.data())
def test_any_text_has_an_answer(name: str, data: strategies.DataObject) -> None:
    answered({"server.py": SERVER, name: data.draw(text_of(name))})


@settings(max_examples=80)
@given(
    files=strategies.fixed_dictionaries({}, optional={name: text_of(name) for name in FRAGMENTS})
)
def test_any_folder_has_an_answer(files: dict[str, str]) -> None:
    answered(files)
