"""Attacks by the Dockerfile, and by what runs in a build."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from classvm.program import protocol
from infra import scope
from students.contexts import tar, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.target import Target
    from infra.vm import Vm
    from students.account import Account, Done
    from students.contexts import App

# An image of somebody else's on the same host, with a secret in it.
OTHER, SECRET = "classvm/other:1", "secret-of-another-student"
RUN_SECONDS = 900.0
# Two lines that belong to an instruction of their own.
AFTER_FROM = re.compile(r"(?m)^(FROM python\n)")


def first(line: str) -> Callable[[str], str]:
    """Return what puts a line before a Dockerfile."""
    return lambda before: f"{line}\n{before}"


def inside(line: str) -> Callable[[str], str]:
    """Return what puts a line into the last stage of the lab's Dockerfile."""

    def change(before: str) -> str:
        changed, count = AFTER_FROM.subn(lambda found: f"{found[1]}{line}\n", before)
        assert count == 1
        return changed

    return change


REFUSED: dict[str, Callable[[str], str]] = {
    "another frontend": first("# syntax=evil/frontend"),
    "another frontend, spelt otherwise": first("#SYNTAX = evil/frontend"),
    "another escape": first("# escape=`"),
    "a check that is skipped": first("# check=skip=all"),
    "another's image": first(f"FROM {OTHER} AS other"),
    "another's image, in small letters": first(f"from {OTHER} as other"),
    "another's image, by a variable": first(f"ARG X={OTHER}\nFROM $X AS other"),
    "another's image, by a default": first(f"FROM ${{NONE:-{OTHER}}} AS other"),
    "another's image, over two lines": first(f"FROM \\\n  {OTHER} AS other"),
    "another platform": first("FROM --platform=linux/arm64 ${BASE_IMAGE} AS other"),
    "a copy from another's image": inside(f"COPY --from={OTHER} /secret /secret"),
    "a copy by a variable": inside(f"ARG X={OTHER}\nCOPY --from=$X /secret /secret"),
    "a copy over two lines": inside(f"COPY \\\n--from={OTHER} /secret /secret"),
    "a copy behind a comment": inside(f"COPY \\\n# x\n--from={OTHER} /secret /secret"),
    "a copy with quotes": inside(f'COPY "--from={OTHER}" /secret /secret\nCOPY --fr\\\nom=x a b'),
    "a mount of another's image": inside(
        f"RUN --mount=type=bind,from={OTHER},target=/x cat /x/secret"
    ),
    "a mount in capitals": inside(f"RUN --mount=type=bind,FROM={OTHER},target=/x cat /x/secret"),
    "a cache of another's image": inside(f"RUN --mount=type=cache,from={OTHER},target=/x true"),
    "a second from of a mount": inside(
        f"RUN --mount=type=bind,from=python,from={OTHER},target=/x cat /x/secret"
    ),
    "a second mount": inside(
        f"RUN --mount=type=tmpfs,target=/t --mount=type=bind,from={OTHER},target=/x true"
    ),
    "a mount of the agent": inside("RUN --mount=type=ssh true"),
    "an insecure step": inside("RUN --security=insecure true"),
    "the host's network": inside("RUN --network=host true"),
    "a device": inside("RUN --device=vendor.example/x true"),
    "a file of the network": inside("ADD http://127.0.0.1/x /x"),
    "a git repository": inside("ADD git@127.0.0.1:x.git /x"),
    "a here-document": inside("RUN <<END\ntrue\nEND"),
    "a here-document as a file": inside("COPY <<END /x\ntrue\nEND"),
    "a step for later": inside("ONBUILD RUN true"),
    "an unknown instruction": inside("MOUNT / /"),
    "a character of a terminal": inside("RUN echo \x1b[2J"),
    "10,000 steps": inside("RUN true\n" * 10_000),
    "two megabytes": first(f"# {'x' * (2 << 20)}"),
    "nothing": lambda _: "",
}


RELEASE = "classvm release --json"


def release(app: App, change: Callable[[str], str], ada: Account) -> Done:
    """Return what becomes of a release with another Dockerfile."""
    return ada.run(RELEASE, app.sent(app.with_dockerfile(change)), seconds=RUN_SECONDS)


def small(app: App, lines: str) -> bytes:
    """Return a release whose Dockerfile has these lines on the base image, and no other file."""
    dockerfile = f"ARG BASE_IMAGE=ubuntu:18.04\nFROM ${{BASE_IMAGE}}\n{lines}\n"
    return app.sent(tar([text("Dockerfile", dockerfile)]))


def build(app: App, lines: str, ada: Account) -> Done:
    """Return what becomes of such a release."""
    return ada.run(RELEASE, small(app, lines), seconds=RUN_SECONDS)


@pytest.fixture(scope="module", autouse=True)
def _other(vm: Vm) -> Iterator[None]:
    """Have an image of another student's on the host."""
    base = str(vm.facts["base_image_name"])
    line = f"printf 'FROM {base}\\nRUN echo {SECRET} >/secret\\n' | docker build -q -t {OTHER} -"
    vm.read(line)
    yield
    vm.read(f"docker image rm {OTHER}")


@pytest.mark.parametrize("name", REFUSED)
def test_such_a_dockerfile_is_not_built(name: str, app: App, ada: Account, target: Target) -> None:
    live = target.live()
    done = release(app, REFUSED[name], ada)
    assert (done.code, done.error) == (2, protocol.REQUEST), str(done)
    line = done.answer["error"]["line"]
    assert line.isprintable()
    assert "Dockerfile" in line
    assert SECRET not in done.out
    assert target.live() == live


def test_the_engine_itself_would_build_it(vm: Vm) -> None:
    """Whoever may use the engine reads another's image."""
    text = f"FROM {OTHER} AS other\\nFROM other\\nRUN cat /secret; exit 1\\n"
    assert SECRET in vm.root(f"printf '{text}' | docker build --progress plain - 2>&1").stdout


def test_a_default_for_the_base_image_does_not_count(app: App, ada: Account) -> None:
    """The host hands in its own: the build ends where the secret would be."""
    lines = f"FROM ${{BASE_IMAGE}}\nARG BASE_IMAGE={OTHER}\nFROM ${{BASE_IMAGE}}\nRUN cat /secret"
    dockerfile = f"ARG BASE_IMAGE={OTHER}\n{lines}\n"
    done = ada.run(RELEASE, app.sent(tar([text("Dockerfile", dockerfile)])), seconds=RUN_SECONDS)
    assert done.error in (protocol.FAILED, protocol.REQUEST), str(done)
    assert SECRET not in done.out


# The host gives each of its labels a value of its own, whatever the Dockerfile says.
LABELS = {
    "of the release": "LABEL classvm.release=evil",
    "in quotes": 'LABEL "classvm.service"="evil"',
    "by a variable": "ENV X=classvm.keep\nLABEL $X=/evil",
    "with an escape": "LABEL classvm\\.keep=/evil",
    "behind another": "LABEL a=b classvm.content=evil",
}


@pytest.mark.parametrize("lines", LABELS.values(), ids=LABELS)
def test_a_label_of_the_host_s_own_does_not_count(
    lines: str, app: App, ada: Account, target: Target
) -> None:
    """By labels the host knows what an image is, and which folders of it are kept."""
    live = target.live()
    done = build(app, lines, ada)
    assert done.error in (protocol.FAILED, protocol.REQUEST), str(done)
    images = "$(docker image ls --quiet --filter label=classvm.service)"
    assert "evil" not in target.vm.read(f"docker image inspect {images} | grep '\"classvm[.]'")
    assert target.live() == live


# --- What runs in a build -------------------------------------------------------------------------

# Each succeeds in the build if the host is within its reach; then the marked word is printed.
REACHING = {
    "the engine's socket": "test -S /var/run/docker.sock",
    "the state folder": "ls /var/lib/*/provision.json",
    "the host's processes": "test $(ls -d /proc/[0-9]* | wc -l) -gt 20",
    "the host's passwords": "grep -q '^ada:' /etc/shadow",
    "the host's disk": "cat /dev/sda || cat /dev/vda || mount /dev/sda /mnt",
    "the control groups": "mount -t cgroup2 none /mnt || mount -t cgroup -o memory none /mnt",
    "the kernel's settings": "echo 1 >/proc/sys/kernel/panic",
    "the host's services": "(exec 3<>/dev/tcp/127.0.0.1/22)",
    "a device of its own": "mknod /x b 8 0 && head -c 1 /x",
    "another's namespace": "nsenter --target 1 --net true && test -S /var/run/docker.sock",
}


def test_a_build_does_not_reach_the_host(app: App, ada: Account) -> None:
    tries = "; ".join(
        f"if bash -c {line!r} >/dev/null 2>&1; then echo reached-{number}-it; fi"
        for number, line in enumerate(REACHING.values())
    )
    done = build(app, f"RUN {tries}; echo has-tried-$((6 * 7)); false", ada)
    assert done.error == protocol.FAILED, str(done)
    said = done.answer["error"]["details"]
    assert "has-tried-42" in said, said
    # The builder also shows the line itself.
    found = re.findall(r"(?m)^[^;]*reached-(\d+)-it$", said)
    assert [list(REACHING)[int(one)] for one in found] == []


# Each is endless, but for a bound.
ENDLESS = {
    "memory": "RUN tail /dev/zero",
    "disk": "RUN cat /dev/zero >/large",
}
QUICK = ("memory",)


@pytest.mark.parametrize("name", QUICK if scope.QUICK else ENDLESS)
def test_an_endless_build_comes_to_its_end(name: str, app: App, ada: Account, vm: Vm) -> None:
    done = build(app, ENDLESS[name], ada)
    assert done.error == protocol.FAILED, str(done)
    assert vm.root("pgrep --full '[t]ail /dev/zero'").rc != 0
    # An empty group that is still busy is removed by the next build.
    left = "find /sys/fs/cgroup -path '*classvm-build-*' -name cgroup.procs -exec cat {} +"
    assert vm.read(left) == ""
    assert ada.ask("status").error == ""


def test_processes_of_a_build_are_counted(app: App, ada: Account, vm: Vm) -> None:
    """The twin of the bound is the host itself, which may have thousands more."""
    most = int(vm.facts["service_build_pids"])
    count = f"RUN for i in $(seq {most + 100}); do sleep 9 & done; echo started-all"
    done = build(app, f"{count}; false", ada)
    assert done.error == protocol.FAILED, str(done)
    assert re.search("(?i)fork|resource", done.answer["error"]["details"]), str(done)
    started = f"for i in $(seq {most + 100}); do sleep 1 & done; echo all"
    assert vm.read(started) == "all\n"


def test_what_a_build_prints_is_legible(app: App, ada: Account) -> None:
    done = build(app, "RUN printf '\\033[2J\\033]0;owned\\007'; false", ada)
    assert done.error == protocol.FAILED
    assert "\x1b" not in done.out
    assert all(one.isprintable() for one in done.answer["error"]["line"])


def test_a_build_that_is_cut_leaves_nothing(app: App, ada: Account, target: Target) -> None:
    working = ada.start(RELEASE, "-o", "ControlPath=none")
    assert working.stdin
    working.stdin.write(small(app, "RUN sleep 4321"))
    working.stdin.close()
    target.vm.read("for i in $(seq 60); do pgrep -f '[s]leep 4321' && exit; sleep 1; done; exit 1")
    working.kill()
    gone = "for i in $(seq 30); do pgrep -f '[s]leep 4321' || exit 0; sleep 1; done; exit 1"
    target.vm.read(gone)
    assert ada.ask("start").error == ""
