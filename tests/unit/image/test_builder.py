"""How the engine is told to build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.base import resolver
from classvm.base.errors import ClassvmError
from classvm.image import builder
from classvm.image.confinement import Confined

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT = """
case "$*" in
*--help) echo --secret ;;
*) cat > {seen}/context; sleep {seconds}; echo out; echo err >&2; exit 3 ;;
esac
"""


@pytest.fixture(autouse=True)
def usual_name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "is_out_of_reach_of_containers", lambda: False)


def test_what_was_printed_is_returned(program: Callable[..., Path], tmp_path: Path) -> None:
    calls = program("docker", SCRIPT.format(seen=tmp_path, seconds=0))
    built = builder.build(["--tag", "a:1"], b"tar", {"ca.pem": "x", "pip.conf": ""}, "it")
    assert (built.code, built.out, built.err) == (3, "out\n", "err\n")
    words = calls.read_text().splitlines()[-1].split()
    assert words[:4] == ["build", "--progress=plain", "--tag", "a:1"]
    assert words[4] == "--secret"
    assert words[5].startswith("id=ca.pem,src=")
    assert words[6:] == ["-"]
    assert (tmp_path / "context").read_bytes() == b"tar"


def test_what_the_client_notes_goes_with_the_build(
    program: Callable[..., Path], tmp_path: Path
) -> None:
    seen = tmp_path / "config"
    note = f"echo $DOCKER_CONFIG > {seen}; : > $DOCKER_CONFIG/.buildNodeID"
    program("docker", f'case "$*" in *--help) echo --secret ;; *) {note} ;; esac')
    assert builder.build([], b"", {}, "it").code == 0
    assert "classvm-build-" in seen.read_text()
    assert not Path(seen.read_text().strip()).exists()


def test_a_build_has_its_time(program: Callable[..., Path], tmp_path: Path) -> None:
    program("docker", SCRIPT.format(seen=tmp_path, seconds=1))
    with pytest.raises(ClassvmError, match=r"^The build did not end within 0 minutes"):
        builder.build([], b"", {}, "it", Confined((), (), 0.1, lambda _: None))


def test_a_build_within_bounds_has_no_network_of_the_host(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = program("docker", 'case "$*" in *--help) echo --secret ;; esac')
    monkeypatch.setattr(resolver, "is_out_of_reach_of_containers", lambda: True)
    words = ("--cgroup-parent", "/classvm-build-1")
    builder.build(["--tag", "a:1"], b"", {}, "it", Confined(words, (), 9.0, lambda _: None))
    build = calls.read_text().splitlines()[-1].split()
    assert build == ["build", "--progress=plain", "--tag", "a:1", *words, "-"]


@pytest.mark.parametrize(("local", "words"), [(True, ["--network=host"]), (False, [])])
def test_a_build_reaches_the_host_s_name_servers(
    local: bool, words: list[str], program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = program("docker", 'case "$*" in *--help) echo --secret ;; esac')
    monkeypatch.setattr(resolver, "is_out_of_reach_of_containers", lambda: local)
    builder.build(["--tag", "a:1"], b"", {}, "it")
    build = calls.read_text().splitlines()[-1].split()
    assert build == ["build", "--progress=plain", "--tag", "a:1", *words, "-"]


def test_labels() -> None:
    assert builder.label_words({"a": "1", "b": ""}) == ["--label", "a=1", "--label", "b="]
