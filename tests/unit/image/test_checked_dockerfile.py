"""The Dockerfile of a student, checked and written anew."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import small_app
import tree
from classvm.image import checked_dockerfile, received, source
from classvm.image.checked_dockerfile import written_anew
from classvm.image.received import NotTakenError
from classvm.image.source import Ports

APPS = sorted((tree.ROOT / "tests/apps/live").glob("*.yml"))
KIT = tree.ROOT / "roles/service_image/files/kit"
HEAD = "ARG BASE_IMAGE=ubuntu:18.04\nFROM ${BASE_IMAGE} AS one\n"


def refusal(text: str) -> str:
    """Return why a Dockerfile is refused."""
    with pytest.raises(NotTakenError) as refused:
        written_anew(text)
    return refused.value.line


def test_the_lab_s_own_means_the_same() -> None:
    text = (tree.ROOT / "service/Dockerfile").read_text()
    anew = written_anew(text)
    assert written_anew(anew) == anew
    assert "#" not in anew
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    said = " ".join(anew.split())
    assert [line for line in lines if " ".join(line.rstrip("\\").split()) not in said] == []
    assert len(anew.splitlines()) == sum(line[:3].isupper() for line in lines)


@pytest.mark.parametrize("app", APPS, ids=lambda one: one.stem)
def test_what_the_kit_makes_of_an_app_is_taken(app: Path, tmp_path: Path) -> None:
    """What is sent for an app is what the host reads, byte by byte."""
    for name, text in tree.read_yaml(app)["files"].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        small_app.write(tmp_path, name, str(text))
    made = source.read(tmp_path, KIT, Ports(11000, 8080))
    files = received.read(io.BytesIO(made.packed.archive))
    assert files == made.packed.files
    (dockerfile,) = (one.content.decode() for one in files if one.name == "Dockerfile")
    assert written_anew(dockerfile).count("\nFROM ")


def test_lines_are_joined_as_the_engine_joins_them() -> None:
    text = HEAD + 'run echo a\\\n# a comment\n\n  b \\  \n&& c\nCMD ["x"]'
    assert written_anew(text).splitlines()[2:] == ["RUN echo a  b && c", 'CMD ["x"]']


def test_a_line_that_ends_with_the_file() -> None:
    assert written_anew(f"{HEAD}RUN a \\\n").splitlines()[-1] == "RUN a"


@pytest.mark.parametrize(
    "line",
    [
        "RUN --mount=type=secret,id=pip.conf --mount=type=cache,id=c,target=/c sh a.sh",
        "RUN --mount=type=bind,source=a,target=/a --mount=type=tmpfs,target=/t,size=1m sh a.sh",
        "RUN --mount=type=bind,from=one,target=/a sh a.sh",
        "COPY --from=one --chown=1:1 /a /b",
        "COPY --from=0 /a /b",
        "COPY --from=ONE --chmod=755 --link /a /b",
        "ADD --chown=1:1 data.tar.gz /data",
        "HEALTHCHECK --interval=10s --timeout=3s CMD true",
        'RUN curl --data a:b http://x --network=host && echo $HOME "--security=insecure"',
        'LABEL a.b="c d" e=${F}',
        "LABEL classvm.port=80 \"classvm.drain\"='USR1' a=",
        "LABEL maintainer Ada of the class",
        'SHELL ["/bin/bash", "-c"]',
    ],
)
def test_what_may_stand_there(line: str) -> None:
    text = f"{HEAD}FROM one\n{line}\n"
    assert written_anew(text).splitlines()[-1] == line


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("RUN --security=insecure id", "--security=insecure cannot be used"),
        ("RUN --network=host id", "--network=host cannot be used"),
        ("RUN --device=a id", "--device=a cannot be used"),
        ("RUN --mount=type=ssh id", "needs one type"),
        ("RUN --mount=target=/a id", "needs one type"),
        ("RUN --mount=type=bind,from=other,target=/a id", "no earlier stage"),
        ("RUN --mount=type=cache,FROM=classvm/other:1,target=/a id", "no earlier stage"),
        ("RUN --mount=type=bind,from=one,from=other id", "no earlier stage"),
        ("RUN --mount=type=bind,type=secret id", "needs one type"),
        ('RUN --mount=type=bind,fr"om"=other id', "cannot be used"),
        ("RUN --mount=type=bind,fr\\om=other id", "cannot be used"),
        ("RUN --mount=type=bind,from=${X} id", "cannot be used"),
        ("RUN --moun\\\nt=type=bind,from=other id", "no earlier stage"),
        ("RUN\xa0--security=insecure id", "--security=insecure cannot be used"),
        ("RUN \u2003--security=insecure id", "--security=insecure cannot be used"),
        ("RUN --mount=type=cache\xa0--network=host id", "--network=host cannot be used"),
        ("RUN -- id", "cannot be used"),
        ("COPY --from=ubuntu:18.04 /a /b", "no earlier stage"),
        ("COPY --from=classvm/other:1 /a /b", "no earlier stage"),
        ("COPY --from=1 /a /b", "no earlier stage"),
        ("COPY --from= /a /b", "no earlier stage"),
        ("COPY --parents a /b", "cannot be used"),
        ("ADD https://example.org/a /a", "files of the app alone"),
        ("ADD git@example.org:a.git /a", "files of the app alone"),
        ('ADD ["http\\u003a//127.0.0.1/", "/a"]', "files of the app alone"),
        ("ADD $URL /a", "files of the app alone"),
        ("ADD --from=one a /a", "cannot be used"),
        ("ONBUILD COPY --from=x a b", "ONBUILD cannot be used"),
        ("RUN <<EOF\nid\nEOF", "Here-documents"),
        ("COPY <<EOF /a\nid\nEOF", "Here-documents"),
        ("FROM ubuntu:20.04", "host's base image alone"),
        ("FROM ${BASE_IMAGE:-x}", "host's base image alone"),
        ("FROM classvm/other:abc1234", "host's base image alone"),
        ("FROM scratch", "host's base image alone"),
        ("FROM 0", "host's base image alone"),
        ("FROM --platform=linux/arm64 ${BASE_IMAGE}", "cannot be used"),
        ("FROM ${BASE_IMAGE} AS a/b", "cannot be read"),
        ("FROM ${BASE_IMAGE} IS a", "cannot be read"),
        ("FROM", "cannot be read"),
        ("FLY away", "FLY cannot be used"),
        ("# syntax=docker/dockerfile:labs", "how it is read"),
        ("#escape=`", "how it is read"),
        ("// Syntax = x", "how it is read"),
        ("LABEL classvm.release=evil", "The label classvm.release is the host's alone"),
        ('LABEL "classvm.service"="other"', "host's alone"),
        ("LABEL 'classvm.service'=other", "host's alone"),
        ("LABEL a=b classvm.keep=evil", "host's alone"),
        ('LABEL a="b c" \\\n classvm.keep=evil', "host's alone"),
        ("LABEL classvm.how evil", "host's alone"),
        ("LABEL $X=/proc", "LABEL cannot be read"),
        ("LABEL classvm\\.keep=/proc", "LABEL cannot be read"),
        ('LABEL cl"ass"vm.keep=/proc', "LABEL cannot be read"),
        ("LABEL a='b", "LABEL cannot be read"),
        ("RUN echo \x1b[2J", "characters"),
        ("RUN echo \x00", "characters"),
        ("\ufeffRUN id", "cannot be used"),
        ("RUN echo a\\\\", "ends with a backslash"),
    ],
)
def test_what_may_not(line: str, why: str) -> None:
    said = refusal(f"{HEAD}{line}\n")
    assert why in said
    assert "(Dockerfile:3)" in said
    assert "\x1b" not in said


def test_a_stage_is_known_from_the_next_one_on() -> None:
    copy = "COPY --from={} /a /b\n"
    assert "no earlier stage" in refusal(HEAD + copy.format("one"))
    assert "no earlier stage" in refusal(HEAD + copy.format("two") + "FROM one AS two\n")
    assert written_anew(f"{HEAD}FROM one AS two\n{copy.format('one')}")


@pytest.mark.parametrize("text", ["", "# nothing\n", "RUN id\n"])
def test_without_a_from(text: str) -> None:
    assert "It has no FROM" in refusal(text)


def test_bounds() -> None:
    assert "more than 300" in refusal(HEAD + "RUN id\n" * checked_dockerfile.INSTRUCTIONS)
    assert "larger than 64 KB" in refusal(HEAD + "#" * checked_dockerfile.LARGEST)
