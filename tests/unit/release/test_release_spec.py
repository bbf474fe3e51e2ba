"""How a release shall run, and the command line that makes it run so."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import pytest
from classvm.base.edge import BLUE_GREEN
from classvm.base.errors import ClassvmError
from classvm.release import candidate, difference
from classvm.release.release_spec import BEHIND_EDGE, env_file, run_argv
from fake_engine import (
    RELEASE_SPEC,
)


def test_run_argv() -> None:
    spec = dataclasses.replace(RELEASE_SPEC, environment={"B": "2", "A": "1 3"})
    words = run_argv(spec, name="n", publish="11000:8080", labels={"y": "2", "x": "1"})
    assert " ".join(words) == (
        "--name n --publish 11000:8080 --restart unless-stopped --read-only"
        " --cap-drop ALL --security-opt no-new-privileges --memory 512m --memory-swap 512m"
        " --pids-limit 128 --tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m --shm-size 64m"
        " --ulimit nofile=16384 --stop-timeout 3 --env-file /dev/stdin --label x=1 --label y=2"
        " classvm/lab:r2"
    )
    assert env_file(spec) == "A=1 3\nB=2\nHOST_PORT=11000\n"


def test_only_behind_the_edge_a_service_may_believe_who_its_client_is() -> None:
    spec = dataclasses.replace(RELEASE_SPEC, strategy=BLUE_GREEN)
    assert f"{BEHIND_EDGE}=1\n" in env_file(spec)
    assert BEHIND_EDGE not in env_file(RELEASE_SPEC)


def test_run_argv_without_publishing() -> None:
    assert "--publish" not in run_argv(RELEASE_SPEC, name="n", publish="", labels={})


def test_names() -> None:
    names = (RELEASE_SPEC.live, RELEASE_SPEC.candidate, RELEASE_SPEC.previous)
    assert names == ("classvm-lab", "classvm-lab-candidate", "classvm-lab-previous")


@pytest.mark.parametrize(
    "change",
    [
        {"host_port": 1},
        {"container_port": 1},
        {"limits": {**RELEASE_SPEC.limits, "memory": "1m"}},
        {"limits": {**RELEASE_SPEC.limits, "pids": "1"}},
        {"limits": {**RELEASE_SPEC.limits, "tmpfs_size": "1m"}},
        {"seconds": dataclasses.replace(RELEASE_SPEC.seconds, stop=9)},
        {"environment": {"A": "1"}},
        {"strategy": BLUE_GREEN},
    ],
    ids=str,
)
def test_each_setting_counts(change: dict[str, Any]) -> None:
    assert dataclasses.replace(RELEASE_SPEC, **change).settings != RELEASE_SPEC.settings


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": dataclasses.replace(RELEASE_SPEC.seconds, health=9, steady=0, contract=1)},
        {"contract": ""},
        {"release": "r9"},
    ],
    ids=str,
)
def test_what_does_not_change_how_it_runs_does_not_count(change: dict[str, Any]) -> None:
    assert dataclasses.replace(RELEASE_SPEC, **change).settings == RELEASE_SPEC.settings


def test_the_image_derives_from_service_and_release() -> None:
    assert RELEASE_SPEC.image == "classvm/lab:r2"
    assert dataclasses.replace(RELEASE_SPEC, release="").image == ""


# --- Secrets of the environment -----------------------------------------------------------------

SECRET = "correct-horse-battery-staple"  # noqa: S105 - not a password of anybody


def test_a_secret_is_not_in_the_arguments() -> None:
    spec = dataclasses.replace(RELEASE_SPEC, environment={"TOKEN": SECRET})
    argv = run_argv(spec, name="n", publish="", labels=candidate.labels(spec))
    assert not any(SECRET in word for word in argv)
    assert f"TOKEN={SECRET}\n" in env_file(spec)


def test_a_digest_of_a_secret_differs_from_host_to_host() -> None:
    """With the same digest everywhere, a list of guesses would tell a weak secret."""
    spec = dataclasses.replace(RELEASE_SPEC, environment={"TOKEN": SECRET}, key="a")
    other = dataclasses.replace(spec, key="b")
    assert spec.settings != other.settings
    assert difference.how(spec)["environment TOKEN"] != difference.how(other)["environment TOKEN"]
    unkeyed = hashlib.sha256(SECRET.encode()).hexdigest()
    assert unkeyed[:8] not in json.dumps(candidate.labels(spec))


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\n"])
def test_a_value_of_two_lines_is_refused(value: str) -> None:
    spec = dataclasses.replace(RELEASE_SPEC, environment={"CERTIFICATE": value})
    with pytest.raises(ClassvmError, match=r"CERTIFICATE has more than one line.*base64"):
        env_file(spec)
