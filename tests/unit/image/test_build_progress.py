from __future__ import annotations

import pytest
from classvm.base import progress
from classvm.image.build_progress import BuildProgress

LOG = """\
#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 2.1kB done
#5 [app 3/9] RUN --mount=type=secret,id=pip.conf,target=/a pip install -r requirements.txt
#5 0.912 Collecting flask==2.2.5 (from -r requirements.txt (line 3))
#5 1.210   Downloading https://index.example/packages/flask-2.2.5.whl (101 kB)
#5 1.310      |████████| 101 kB
#5 2.001 Installing collected packages: click, flask
#6 [4/9] COPY --from=builder --chown=1:1 /a /b
#7 exporting to image
#7 0.100 Collecting what belongs to no step
#8 [lock 2/2] RUN apt-get install -y python3.7
#8 2.400 Get:3 http://archive.example bionic/main amd64 Packages [1344 kB]
#8 2.500 Get:7 http://archive.example bionic/universe amd64 python3.7 amd64 3.7.5 [300 kB]
#8 3.000 Unpacking python3.7 (3.7.5-2ubuntu1~18.04) ...
#8 4.000 Setting up python3.7 (3.7.5-2ubuntu1~18.04) ...
"""


def test_the_steps_of_a_build_and_what_they_do_are_told() -> None:
    build = BuildProgress("the app")
    told = [build.text(line) for line in LOG.splitlines()]
    assert [line for line in told if line] == [
        "step 3 of 9, installing Python packages",
        "step 3 of 9, collecting flask",
        "step 3 of 9, installing collected packages",
        "step 4 of 9, COPY /a /b",
        "step 2 of 2, installing system packages",
        "step 2 of 2, downloading package lists",
        "step 2 of 2, downloading python3.7",
        "step 2 of 2, unpacking python3.7",
        "step 2 of 2, setting up python3.7",
    ]


def test_a_long_instruction_is_cut() -> None:
    told = BuildProgress("the app").text(f"#5 [3/9] RUN export  A=b && {'x' * 100}")
    assert told == f"step 3 of 9, RUN export A=b && {'x' * 41}…"


@pytest.mark.parametrize(
    ("instruction", "told"),
    [
        ('RUN export PIP_CERT=/a && python "$PIP" install -r a.txt', "installing Python packages"),
        ("RUN apt-get update && apt-get install --yes gcc", "installing system packages"),
        (
            "RUN export PIP_CONFIG_FILE=/run/secrets/pip.conf && sh install.sh",
            "installing Python packages",
        ),
        (
            "RUN export PIP_CONFIG_FILE=/run/secrets/pip.conf && sh lock.sh",
            "locking Python packages",
        ),
        (
            "RUN python3.7 -m venv --without-pip /opt/venv",
            "RUN python3.7 -m venv --without-pip /opt/venv",
        ),
    ],
)
def test_what_takes_long_is_told_in_words(instruction: str, told: str) -> None:
    assert BuildProgress("the app").text(f"#5 [3/9] {instruction}") == f"step 3 of 9, {told}"


def test_what_is_built_is_said_first(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "say", said.append)
    build = BuildProgress("the app")
    for line in LOG.splitlines()[:4]:
        build.heard(line)
    assert said == [
        "the app",
        "the app: step 3 of 9, installing Python packages",
        "the app: step 3 of 9, collecting flask",
    ]
