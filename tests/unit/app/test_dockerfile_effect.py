"""What holds of a student's Dockerfile."""

from __future__ import annotations

import pytest
from classvm.app import dockerfile
from classvm.app.dockerfile_effect import environment, without_effect


@pytest.mark.parametrize(
    ("line", "variables"),
    [
        ("ENV GREETING=hello", {"GREETING": "hello"}),
        ('ENV A=1 B="two words"', {"A": "1", "B": "two words"}),
        ("ENV GREETING hello you", {"GREETING": "hello you"}),
        ("ENV A=x=y", {"A": "x=y"}),
        ("ENV A=$B", {}),
        ('ENV A="', {"A": '"'}),
        ("ENV PATH=/x PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 DEBIAN_FRONTEND=noninteractive", {}),
        ("RUN A=1", {}),
    ],
)
def test_the_environment(line: str, variables: dict[str, str]) -> None:
    assert environment(dockerfile.read(line)) == variables


@pytest.mark.parametrize(
    "line",
    [
        "FROM ubuntu:18.04",
        "RUN apt-get update && apt install -y python3.7 libmagic1",
        "RUN --mount=type=cache,target=/root pip3 install -r requirements.txt",
        "RUN python3.7 -m pip install -r requirements.txt",
        "RUN curl https://x/get-pip.py -o get-pip.py && python get-pip.py",
        "RUN update-alternatives --install /usr/bin/python python /usr/bin/python3.7 10",
        "RUN git clone https://git.example/a.git",
        "RUN if [ -s /ca.pem ]; then export PIP_CERT=/ca.pem; fi && pip install -r requirements.in",
        "COPY . /src",
        "ENV A=1",
        "EXPOSE 11000",
        "WORKDIR /src",
        'CMD ["python", "server.py"]',
    ],
)
def test_what_the_kit_does_itself(line: str) -> None:
    assert without_effect(dockerfile.read(line)) == []


@pytest.mark.parametrize(
    "line",
    [
        "RUN make model",
        "RUN if [ -s a.csv ]; then ./convert.sh; fi",
        "RUN apt-get update && ./download.sh",
        "RUN python3.7 train.py",
        "ENV A=$B",
        "ADD https://data.example/a.csv /src",
        "COPY --from=builder /a /b",
        "VOLUME /data",
        "HEALTHCHECK CMD true",
    ],
)
def test_what_has_no_effect(line: str) -> None:
    assert [one.rest for one in without_effect(dockerfile.read(line))] == [line.partition(" ")[2]]
