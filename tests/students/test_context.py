"""Attacks by the tar of a build context: the host takes nothing of it, and the reason is told."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from classvm.app import pack
from classvm.program import protocol
from students import contexts
from students.contexts import of_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.target import Target
    from students.account import Account
    from students.contexts import App

# Behind all names of the app.
LAST = "zz"
VICTIM = "/etc/classvm-victim"


def member(*args: object, **kwargs: object) -> Callable[[App], bytes]:
    """Return what makes a context with one more member."""
    return lambda app: app.with_member(of_kind(*args, **kwargs))  # type: ignore[arg-type] # handed on


def long_header(app: App) -> bytes:
    """Return a context with an extended header of a megabyte."""
    about = of_kind(LAST)
    about.pax_headers = {"comment": "x" * (1 << 20)}
    return app.with_member(about)


def other_header(app: App) -> bytes:
    """Return a context whose extended header says another size than the header itself."""
    about = of_kind(LAST)
    about.pax_headers = {"size": "1"}
    return app.with_member(about)


def global_header(app: App) -> bytes:
    """Return a context that begins with a header for all members."""
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"path": VICTIM}
    ) as archive:
        for file in app.packed.files:
            archive.addfile(*contexts.member(file))
    return buffer.getvalue()


def through_a_link(app: App) -> bytes:
    """Return a context with a link to /etc, and a file behind it."""
    link = of_kind(LAST, tarfile.SYMTYPE, target="data")
    return contexts.tar(app.packed.files, (link, b""), (of_kind(f"{LAST}/classvm-victim"), b""))


def twice(app: App) -> bytes:
    """Return a context in which a name stands twice."""
    return contexts.tar([*app.packed.files, app.packed.files[-1]])


def many(_: App) -> bytes:
    """Return more files than anybody needs."""
    return contexts.tar(pack.File(f"f{number:07}", 0o644, b"") for number in range(30_000))


def deep(app: App) -> bytes:
    """Return a file in a thousand folders."""
    return app.with_member(of_kind("zz/" * 1000 + "x"))


def promised(size: int) -> Callable[[App], bytes]:
    """Return what makes a context whose last member is larger than what follows."""
    return lambda app: app.with_member(of_kind(LAST))[: -20 * 512] + header(LAST, size)


def header(name: str, size: int) -> bytes:
    """Return the header of a file of that size, without the file."""
    is_octal = 0 <= size < 8 << 30
    return of_kind(name, size=size).tobuf(tarfile.USTAR_FORMAT if is_octal else tarfile.GNU_FORMAT)


REFUSED: dict[str, Callable[[App], bytes]] = {
    "an absolute name": member(VICTIM),
    "a climbing name": member("../../../etc/classvm-victim"),
    "a climbing name inside": member(f"{LAST}/../../x"),
    "a name with a point": member(f"{LAST}/./x"),
    "an empty part": member(f"{LAST}//x"),
    "a link to /etc/shadow": member(LAST, tarfile.SYMTYPE, target="/etc/shadow"),
    "a climbing link": member(LAST, tarfile.SYMTYPE, target="../../etc/shadow"),
    "a link that climbs on its way": member(LAST, tarfile.SYMTYPE, target="data/../../../etc"),
    "a file behind a link": through_a_link,
    "a hard link to /etc/shadow": member(LAST, tarfile.LNKTYPE, target="/etc/shadow"),
    "a hard link inside": member(LAST, tarfile.LNKTYPE, target="Dockerfile"),
    "a device": member(LAST, tarfile.BLKTYPE),
    "a terminal": member(LAST, tarfile.CHRTYPE),
    "a fifo": member(LAST, tarfile.FIFOTYPE),
    "a sparse file": member(LAST, tarfile.GNUTYPE_SPARSE),
    "a setuid file": member(LAST, mode=0o4755),
    "a setgid folder": member(LAST, tarfile.DIRTYPE, mode=0o2755),
    "30,000 files": many,
    "1,000 levels": deep,
    "a long name": member(LAST * 4000),
    "a name with a newline": member(f"{LAST}\nx"),
    "a name with an escape": member(f"{LAST}\x1b[2J"),
    "a name twice": twice,
    "a header of a megabyte": long_header,
    "a header with another size": other_header,
    "a header for all": global_header,
    "7 GB promised": promised(7 << 30),
    "a terabyte promised": promised(1 << 40),
    "a negative size": promised(-1),
    "no end": lambda app: app.packed.archive[: 512 * 4],
    "nothing": lambda _: b"",
    "something behind the end": lambda app: app.packed.archive + b"x" * 4096,
    "a second tar behind it": lambda app: app.packed.archive * 2,
    "a compressed one": lambda app: gzip.compress(app.packed.archive),
    "a bomb of gzip": lambda _: gzip.compress(bytes(1 << 28)),
    "no tar": lambda _: b"\xff" * 4096,
}


@pytest.mark.parametrize("name", REFUSED)
def test_such_a_context_is_not_taken(name: str, app: App, ada: Account, target: Target) -> None:
    live = target.live()
    done = ada.run("classvm release --json", app.sent(REFUSED[name](app)))
    assert (done.code, done.error) == (2, protocol.REQUEST), str(done)
    line = done.answer["error"]["line"]
    assert line.isprintable()
    assert target.live() == live
    assert target.vm.root("test -e %s", VICTIM).rc != 0


def test_a_context_without_end_is_cut_off(app: App, ada: Account) -> None:
    """Ten gigabytes of zeros in one file: the host stops reading at its bound."""
    sent = app.request() + header(LAST, 60 << 20)
    line = "(cat; head -c 10G /dev/zero) | classvm release --json"
    assert ada.run(line, sent).error == protocol.REQUEST


def test_a_context_that_does_not_come_is_not_waited_for_by_others(
    app: App, ada: Account, bob: Account
) -> None:
    silent = ada.start("(cat; sleep 60) | classvm release --json")
    assert silent.stdin
    silent.stdin.write(app.request())
    silent.stdin.close()
    try:
        assert bob.ask("rollback", {"protocol": protocol.PROTOCOL, "check": True}).error == ""
    finally:
        silent.kill()


MEMBERS: dict[str, dict[str, Any]] = {
    "a release's id": {"release": "evil"},
    "settings": {"settings": {"host_port": 22}},
    "a port": {"host_port": 22},
    "an environment": {"environment": {"LD_PRELOAD": "x"}},
    "another base image": {"base_image": "evil"},
    "another checker": {"checker_image": "evil"},
    "no contract": {"contract": ""},
    "more memory": {"limits": {"memory": "64g"}},
    "more processes": {"limits": {"pids": "100000"}},
    "no limit": {"limits": {"memory": "0"}},
    "a folder of the host": {"keep": ["/proc"]},
    "the whole container": {"keep": ["/"]},
    "an option in a folder": {"keep": ["/x:/y:rw,z"]},
    "a climbing folder": {"keep": ["/srv/../etc"]},
    "another service": {"service": "other"},
    "a secret of another name": {"secrets": {"shadow": "x"}},
    "a large secret": {"secrets": {"pip.conf": "x" * (1 << 20)}},
    "a revision with a newline": {"revision": "a\nb"},
    "a name with an escape": {"app": "\x1b[2J"},
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_student_does_not_ask_for_more(name: str, app: App, ada: Account, target: Target) -> None:
    live = target.live()
    done = ada.run("classvm release --json", app.sent(app.packed.archive, **MEMBERS[name]))
    assert (done.code, done.error) == (2, protocol.REQUEST), str(done)
    assert target.live() == live


def test_the_context_of_the_kit_is_taken(app: App, ada: Account) -> None:
    sent = app.sent(app.packed.archive, check=True)
    done = ada.run("classvm release --json", sent)
    assert done.error == "", str(done)
