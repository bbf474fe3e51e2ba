"""The Dockerfile of students' images: it renders, hadolint likes it, it shares its first stages."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import jinja2
import pytest
import tree

FILES = tree.ROOT / "roles/service_image/files"
KIT = FILES / "kit"
SERVICE = tree.ROOT / "service"
PLAIN: dict[str, Any] = {
    "apt": [],
    "path": [],
    "writable": [],
    "environment": {},
    "entry": ["server.py"],
    "own_server": False,
    "port": 0,
    "container_port": 9000,
}
FULL: dict[str, Any] = {
    "apt": ["libmagic1", "figlet"],
    "path": ["toolbox", "tools/more"],
    "writable": [".", "my data"],
    "environment": {"GREETING": 'a "b" \\c'},
    "entry": ["-m", "shelf"],
    "own_server": True,
    "port": 5000,
    "container_port": 9000,
}


def render(values: dict[str, Any]) -> str:
    """Render the Dockerfile as the control node does."""
    template = jinja2.Template(
        (KIT / "Dockerfile.j2").read_text(),
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    return str(template.render(values))


def hadolint(text: str) -> str:
    command = ["hadolint", "--config", str(tree.ROOT / ".hadolint.yaml"), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("values", [PLAIN, FULL], ids=["plain", "full"])
def test_it_renders_without_a_finding(values: dict[str, Any]) -> None:
    text = render(values)
    assert hadolint(text) == ""
    assert "{" not in text.replace("${", "")
    assert text.startswith("# Ubuntu 18.04")


def test_a_finding_is_found() -> None:
    assert "DL3020" in hadolint(render(PLAIN) + "ADD app/ /more/\n")


def test_what_an_app_does_not_need_is_not_there() -> None:
    text = render(PLAIN).partition("# --- the app")[2]
    for word in ("apt-get", "PYTHONPATH", "VOLUME", "--own-server"):
        assert word not in text


def test_what_an_app_needs_is_there() -> None:
    text = render(FULL).partition("# --- the app")[2]
    for words in (
        "apt-get install --yes libmagic1 figlet",
        'PYTHONPATH="/service/toolbox:/service/tools/more"',
        'ENV GREETING="a \\"b\\" \\\\c"\n',
        'VOLUME ["/service", "/service/my data"]',
        'CMD ["python", "/kit/launch.py", "--own-server", "5000", "-m", "shelf"]',
    ):
        assert words in text


def stages(text: str) -> str:
    """Return the instructions of the stages `python` and `pip`."""
    lines = text.partition("FROM ${BASE_IMAGE} AS python")[2].partition("# --- lock")[0]
    return lines.partition("# --- packages")[0].replace("COPY kit/", "COPY ")


@pytest.mark.parametrize("text", [render(PLAIN), (FILES / "checker/Dockerfile").read_text()])
def test_the_first_stages_are_those_of_the_labs_service(text: str) -> None:
    assert stages(text) == stages((SERVICE / "Dockerfile").read_text())


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("kit/bootstrap/pip-24.0-py3-none-any.whl", "bootstrap/pip-24.0-py3-none-any.whl"),
        ("checker/bootstrap/pip-24.0-py3-none-any.whl", "bootstrap/pip-24.0-py3-none-any.whl"),
        ("kit/lock-tools.txt", "lock-tools.txt"),
    ],
)
def test_what_the_labs_service_has_is_not_kept_twice(link: str, target: str) -> None:
    path: Path = FILES / link
    assert path.is_symlink()
    assert path.resolve() == SERVICE / target


def test_all_that_is_copied_is_there() -> None:
    words = [word for line in render(PLAIN).splitlines() if "COPY" in line for word in line.split()]
    copied = [word for word in words if word.startswith("kit/")]
    assert copied
    assert [word for word in copied if not (FILES / word).exists()] == []


REMOVAL = "RUN find / -xdev -type f -perm /6000 -delete\n"


def keeps_setuid_programs(dockerfile: str) -> bool:
    """Tell whether programs that run with more rights than their user are left in an image.

    After the removal, no package may bring others.
    """
    last = dockerfile.rpartition("\nFROM ")[2]
    _, removed, rest = last.rpartition(REMOVAL)
    return not removed or "apt-get install" in rest


SEALED = (SERVICE / "Dockerfile").read_text()


@pytest.mark.parametrize("text", [SEALED, render(PLAIN), render(FULL)])
def test_no_program_is_left_that_runs_with_more_rights_than_its_user(text: str) -> None:
    assert not keeps_setuid_programs(text)
    assert keeps_setuid_programs(text.replace(REMOVAL, ""))
    assert keeps_setuid_programs(f"{text}RUN apt-get install --yes sudo\n")
