"""A build context that somebody else has sent."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest
from classvm.app import pack
from classvm.image import received
from classvm.image.received import NotTakenError, read
from hypothesis import given
from hypothesis import strategies as st

LONG = "folder/" * 20 + "ä" * 60
APP = (
    pack.File("Dockerfile", 0o644, b"FROM ${BASE_IMAGE}\n"),
    pack.File("app/empty", 0o755, b"", tarfile.DIRTYPE),
    pack.File("app/link", 0o777, b"../lib", tarfile.SYMTYPE),
    pack.File("app/run.sh", 0o755, b"x" * 1000),
    pack.File("app/ümlaut.py", 0o644, b""),
    pack.File(LONG, 0o644, b"long"),
    pack.File("lib/a.py", 0o644, b"1" * 512),
    pack.File("link", 0o777, ("lib/" * 40 + "a").encode(), tarfile.SYMTYPE),
)


def member(
    name: str = "a", kind: bytes = tarfile.REGTYPE, content: bytes = b"", **more: Any
) -> Any:
    """Return a member of a tar, with whatever is odd about it."""
    one = tarfile.TarInfo(name)
    one.type, one.size = kind, len(content)
    for key, value in more.items():
        setattr(one, key, value)
    return one, content


def tar(*members: Any, form: int = tarfile.PAX_FORMAT, **options: Any) -> bytes:
    """Return a tar with these members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, **options) as archive:
        for one, content in members:
            archive.addfile(one, io.BytesIO(content))
    return buffer.getvalue()


def taken(content: bytes) -> Any:
    return read(io.BytesIO(content))


def test_what_the_kit_packs_is_taken_as_it_is() -> None:
    packed = pack.packed(sorted(APP, key=lambda one: one.name), "")
    assert taken(packed.archive) == packed.files
    assert pack.packed(taken(packed.archive), "").digest == packed.digest


def test_an_empty_one() -> None:
    assert taken(tar()) == ()


@given(
    st.dictionaries(
        st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=150),
        st.binary(max_size=600),
        max_size=5,
    )
)
def test_any_name_is_taken_or_refused_and_nothing_else_happens(files: dict[str, bytes]) -> None:
    sent = tar(*(member(name, content=files[name]) for name in sorted(files)))
    try:
        found = taken(sent)
    except NotTakenError:
        return
    assert {one.name: one.content for one in found} == files


@pytest.mark.parametrize(
    "name",
    [
        "/etc/shadow",
        "../a",
        "a/../../b",
        "a/..",
        "./a",
        "a//b",
        "a/",
        "a\nb",
        "a\x1b[2J",
        "a\\b",
        "a\x9b",
    ],
)
def test_a_name_that_climbs_or_plays_with_a_terminal(name: str) -> None:
    with pytest.raises(NotTakenError, match="a name climbs") as refused:
        taken(tar(member(name)))
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.CONTTYPE,
        b"S",
        b"L",
        b"g",
        b"?",
    ],
)
def test_another_kind_of_member(kind: bytes) -> None:
    with pytest.raises(NotTakenError, match="something else than files"):
        taken(tar(member(kind=kind, linkname="b")))


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a", "/etc/passwd"),
        ("a", "../b"),
        ("b/a", "../../c"),
        ("b/a", "x/../../../c"),
        ("a", "b/.."),
        ("a", ""),
        ("a", "."),
        ("a", "b\nc"),
    ],
)
def test_a_link_that_leads_out(name: str, target: str) -> None:
    with pytest.raises(NotTakenError, match="a link leads out"):
        taken(tar(member(name, tarfile.SYMTYPE, linkname=target)))


@pytest.mark.parametrize(("name", "target"), [("a", "b"), ("b/a", "../c"), ("b/c/a", "../..")])
def test_a_link_that_stays_inside(name: str, target: str) -> None:
    assert taken(tar(member(name, tarfile.SYMTYPE, linkname=target)))[0].content == target.encode()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.REGTYPE])
def test_nothing_lies_below_a_link_or_a_file(kind: bytes) -> None:
    with pytest.raises(NotTakenError, match="has something below it"):
        taken(tar(member("a", kind, linkname="b"), member("a/passwd")))
    assert len(taken(tar(member("a", tarfile.DIRTYPE), member("a/passwd")))) == len(
        ("a", "a/passwd")
    )


@pytest.mark.parametrize("names", [["a", "a"], ["b", "a"]])
def test_a_name_stands_there_once_and_in_its_order(names: list[str]) -> None:
    with pytest.raises(NotTakenError, match="not in ascending order"):
        taken(tar(*map(member, names)))


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1777])
def test_the_rights_of_another_account(mode: int) -> None:
    with pytest.raises(NotTakenError, match="rights of another account"):
        taken(tar(member(mode=mode)))
    assert taken(tar(member(mode=mode & 0o777)))[0].mode == 0o755


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "MEGABYTE", 10)
    monkeypatch.setattr(received, "ENTRIES", 2)
    deep = "/".join(["a"] * (received.DEPTH + 1))
    large, half = b"x" * (received.FILE_MEGABYTES * 10 + 1), b"x" * (received.FILE_MEGABYTES * 10)
    three = tar(member("a", content=half), member("b", content=half), member("c", content=b"1"))
    for sent, why in (
        (tar(member(content=large)), "a file is larger than 64 MB"),
        (three, "has more than 2"),
        (tar(*(member(name) for name in "abc")), "has more than 2 files"),
        (tar(member(deep)), "deeper than 32"),
        (tar(member("a" * (received.NAME_BYTES + 1))), "a name climbs"),
    ):
        with pytest.raises(NotTakenError, match=why):
            taken(sent)
    monkeypatch.setattr(received, "ENTRIES", 3)
    with pytest.raises(NotTakenError, match="all of it is more than 128 MB"):
        taken(three)
    assert taken(tar(member(content=half)))


def test_a_size_is_refused_before_anything_is_read() -> None:
    one, _ = member()
    one.size = received.FILE_MEGABYTES * received.MEGABYTE + 1
    head = one.tobuf(tarfile.USTAR_FORMAT)

    class Stream(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert size <= received.BLOCK
            return super().read(size)

    with pytest.raises(NotTakenError, match="larger than"):
        read(Stream(head))


@pytest.mark.parametrize(
    "headers",
    [
        {"path": "x" * 5000},
        {"size": "99999999999"},
        {"GNU.sparse.realsize": "99999999999"},
        {"SCHILY.xattr.user.a": "b"},
        {"hdrcharset": "BINARY"},
        {"uname": "root"},
    ],
)
def test_an_extended_header_names_and_nothing_else(headers: dict[str, str]) -> None:
    with pytest.raises(NotTakenError, match="an extended header"):
        taken(tar(member(pax_headers=headers)))
    with pytest.raises(NotTakenError):
        taken(tar(member(), pax_headers=headers))


def with_records(records: bytes) -> bytes:
    """Return a tar with an extended header of these bytes."""
    head, _ = member("x", tarfile.XHDTYPE, records)
    return tar((head, records), member("a"))


@pytest.mark.parametrize(
    "records",
    [
        b"9 path=a",
        b"99 path=ab\n",
        b"3 path=a\n",
        b"0 path=a\n",
        b"10 path=a\n\n",
        b"9 path=a\n9 path=b\n",
        b"\0" * 9,
    ],
)
def test_an_extended_header_that_is_damaged(records: bytes) -> None:
    with pytest.raises(NotTakenError):
        taken(with_records(records))


def test_an_extended_header_can_be_written_so() -> None:
    assert taken(with_records(b"13 path=name\n"))[0].name == "name"
    with pytest.raises(NotTakenError, match="not UTF-8"):
        taken(with_records(b"10 path=\xff\n"))


@pytest.mark.parametrize("at", [0, 100, 130, 150, 156, 260])
def test_a_header_that_is_damaged(at: int) -> None:
    sent = bytearray(tar(member("abc", content=b"1")))
    sent[at] ^= 0x55
    with pytest.raises(NotTakenError):
        taken(bytes(sent))


def test_a_number_that_is_no_octal_one() -> None:
    one, _ = member()
    one.size = 1 << 40
    head = bytearray(one.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(NotTakenError, match="POSIX format"):
        taken(bytes(head))
    head[257:265] = b"ustar\00000"
    head[148:156] = b"%06o\0 " % sum(head[:148] + b" " * 8 + head[156:])
    with pytest.raises(NotTakenError, match="a number in a header"):
        taken(bytes(head))


@pytest.mark.parametrize("length", [0, 1, 511, 512, 700, 1023, 1024, 1100])
def test_a_tar_that_ends_too_early(length: int) -> None:
    sent = tar(member(content=b"1" * 100))
    with pytest.raises(NotTakenError, match=r"ends too early|follows the end"):
        taken(sent[:length])


@pytest.mark.parametrize("more", [b"x", b"\0" * 20000, b"\0" * 512 + b"x"])
def test_something_behind_the_end(more: bytes) -> None:
    with pytest.raises(NotTakenError, match="follows the end"):
        taken(tar(member()) + more)


def test_compressed() -> None:
    buffer = io.BytesIO()
    tarfile.open(fileobj=buffer, mode="w:gz").close()
    with pytest.raises(NotTakenError):
        taken(buffer.getvalue())


@given(st.binary(max_size=2000))
def test_any_bytes_are_refused(sent: bytes) -> None:
    with pytest.raises(NotTakenError):
        taken(b"x" + sent)
