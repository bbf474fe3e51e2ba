"""On which ports the program in a container listens."""

from __future__ import annotations

import dataclasses

import pytest
from classvm.base.docker import Container
from classvm.release import health, listening
from fake_engine import CHECK_HANGS, NEVER_HEALTHY, RELEASE_SPEC, Engine
from start_states import World

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
ANY = "00000000:1F90"  # 0.0.0.0:8080
LOOPBACK = "0100007F:1F90"
OTHER = "00000000:1388"  # 5000
NAME_SERVER = "0B00007F:9C6D"
ANY_6 = "00000000000000000000000000000000:1F90"
LOOPBACK_6 = "00000000000000000000000001000000:1388"


def table(*local: str, state: str = "0A") -> str:
    lines = [
        f"   {at}: {one} 00000000:0000 {state} 00000000:00000000" for at, one in enumerate(local)
    ]
    return HEAD + "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("local", "found"),
    [
        ([ANY], [("0.0.0.0", 8080)]),
        ([LOOPBACK], [("127.0.0.1", 8080)]),
        ([ANY_6, LOOPBACK_6], [("::", 8080), ("::1", 5000)]),
        ([NAME_SERVER], []),
        ([OTHER, OTHER], [("0.0.0.0", 5000)]),
    ],
)
def test_the_kernels_table(local: list[str], found: list[listening.Place]) -> None:
    assert listening.places(table(*local)) == found


def test_only_what_listens_counts() -> None:
    assert listening.places(table(ANY, state="01")) == []
    assert listening.places("no such file\n") == []


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC, behaviour=NEVER_HEALTHY)
    return engine


@pytest.mark.parametrize(
    ("local", "problem"),
    [
        ([ANY], ""),
        ([ANY_6], ""),
        ([OTHER, ANY], ""),
        ([], "it has opened no port: does something at its start not end, or start no server?"),
        ([OTHER], "it listens on port 5000, not on 8080"),
        ([OTHER, "00000000:0BB8"], "it listens on port 3000, 5000, not on 8080"),
        (
            [OTHER, LOOPBACK],
            "it listens on 127.0.0.1:8080 only, where nobody reaches it: listen on 0.0.0.0",
        ),
    ],
)
def test_what_is_told(engine: Engine, local: list[str], problem: str) -> None:
    engine.sockets = table(*local)
    assert listening.problem(engine, live(engine)) == problem


def test_who_cannot_be_asked_has_no_problem(engine: Engine) -> None:
    assert listening.problem(engine, live(engine)) == ""
    engine.sockets = table(OTHER)
    assert listening.problem(engine, dataclasses.replace(live(engine), ports={})) == ""
    engine.boxes[RELEASE_SPEC.live].behaviour = CHECK_HANGS
    assert listening.problem(engine, live(engine)) == ""


def live(engine: Engine) -> Container:
    found = engine.container(RELEASE_SPEC.live)
    assert found is not None
    return found


def test_a_release_that_is_not_healthy_is_told_its_port(engine: Engine, world: World) -> None:
    world(engine)
    engine.sockets = table(OTHER)
    with pytest.raises(Exception, match="not healthy") as told:
        health.wait(engine, RELEASE_SPEC.live, 30)
    assert str(told.value) == (
        "it was not healthy within 30 s (service_health_timeout); it listens on port 5000,"
        " not on 8080"
    )
