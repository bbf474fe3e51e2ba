"""What an environment.yml of conda lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import conda, requirements_plan
from classvm.app.folder import AppFolder
from hypothesis import given, strategies

if TYPE_CHECKING:
    from pathlib import Path

FILE = "environment.yml"
HEAD = "name: a\ndependencies:\n"


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("numpy", "numpy"),
        ("numpy=1.19", "numpy==1.19.*"),
        ("numpy=1.19.2", "numpy==1.19.2"),
        ("numpy=1.19.*", "numpy==1.19.*"),
        ("numpy==1.19", "numpy==1.19"),
        ("numpy=1.19.2=py37h54aff64_0", "numpy==1.19.2"),
        ('"numpy>=1.19,<2"', "numpy>=1.19,<2"),
        ("numpy >=1.19", "numpy>=1.19"),
        ("conda-forge::numpy=1.19", "numpy==1.19.*"),
        ("pytorch=1.8.0", "torch==1.8.0"),
        ("'?'", "?"),
    ],
)
def test_a_package_of_conda(written: str, line: str) -> None:
    (found,) = conda.environment(FILE, f"{HEAD}- {written}\n")
    assert (found.text, found.number, found.from_conda) == (line, 3, True)


def test_those_of_its_pip() -> None:
    text = f"{HEAD}- python=3.7\n- pip\n- pip:\n  - connexion[swagger-ui]==2.14.2\n"
    found = list(conda.environment(FILE, text))
    assert [(one.place, one.text, one.from_conda) for one in found] == [
        ("environment.yml:4", "pip", True),
        ("environment.yml:6", "connexion[swagger-ui]==2.14.2", False),
    ]


def test_what_is_no_package_of_python_is_left_out(tmp_path: Path) -> None:
    text = f"{HEAD}- krb5=1.19.2=h3\n- openssl=1.1.1k\n- pandas=1.1.5=py37\n- odd=1.0.0\n- flask\n"
    (tmp_path / FILE).write_text(text)
    (tmp_path / "a.py").write_text("import flask, odd\n")
    adapted = requirements_plan.adapt(AppFolder(tmp_path), for_lock=False)
    assert adapted.text.splitlines() == ["pandas==1.1.5", "odd==1.0.0", "flask<2.3"]
    told = "\n".join(map(str, adapted.changes))
    assert "environment.yml:3 `krb5==1.19.2` is left out: it is imported nowhere" in told
    assert "environment.yml:4 `openssl==1.1.1k` is left out: it is Anaconda's own" in told


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("python=3.8", ["==3.8.*"]),
        ("python>=3.8", [">=3.8"]),
        ("python", [""]),
        ("python-dateutil=2", []),
    ],
)
def test_its_python(written: str, wanted: list[str]) -> None:
    found = conda.python(FILE, f"{HEAD}- {written}\n")
    assert [one.text[len("python") :] for one in found] == wanted


def test_what_is_no_environment() -> None:
    for text in ("- a", "a", "dependencies: {pip: [a]}", "dependencies: [{pip: a}, [pip, a], 1]"):
        assert list(conda.environment(FILE, text)) == []


@given(strategies.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    for whole in (text, f"{HEAD}- {text}", f"dependencies: {text}", f"{HEAD}- pip: {text}"):
        list(conda.environment(FILE, whole))
        list(conda.python(FILE, whole))
