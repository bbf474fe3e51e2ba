"""Read the build context that a student sends: a tar, hostile until each of its members has proven harmless.

Nothing is unpacked on the host. Each member is read into memory, within the bounds below, and written into a
new tar for the engine. The reader is our own, because it knows so little: files, folders and links,
with the one kind of extended header that the kit writes. Everything else is refused.
"""

from __future__ import annotations

import re
import tarfile
from typing import BinaryIO, Dict, List, NamedTuple, Optional, Tuple

from ..app.pack import File
from ..base.errors import ClassvmError
from ..base.legible import printable

BLOCK = 512
# The end of a tar, and what fills its last record.
END_BLOCKS, PADDING_BLOCKS = 2, 20
ENTRIES = 20_000
NAME_BYTES = 500
DEPTH = 32
MEGABYTE = 1 << 20
FILE_MEGABYTES, TOTAL_MEGABYTES = 64, 128
HEADER_BYTES = 4096
SHOWN = 80
MODES = {tarfile.DIRTYPE: 0o755, tarfile.SYMTYPE: 0o777}
EXECUTABLE, OWNER_EXECUTES, SPECIAL_BITS = 0o755, 0o100, 0o7000
PLAIN = 0o644
NUMBER = re.compile(rb" *([0-7]{1,11})[ \0]*")
RECORD = re.compile(rb"([1-9][0-9]{0,4}) (path|linkpath)=")
# Of a name: what moves a terminal's cursor, and the backslash.
UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
# A folder that is not named itself has no kind.
PARENTS = (None, tarfile.DIRTYPE)
FIX = "Send what the kit has packed: `make deploy`."
LARGE = "Leave out what the service does not need: name it in .dockerignore."


class NotTakenError(ClassvmError):
    """What was sent is not taken; nothing was done with it."""


class Member(NamedTuple):
    """What the header of a member says."""

    name: str
    kind: bytes
    mode: int
    size: int
    target: str


def read(stream: BinaryIO) -> Tuple[File, ...]:
    """Return the files of a build context, in the order of their names.

    Args:
        stream: the tar, to its end.

    Raises:
        NotTakenError: it is not what the kit packs, or beyond a bound.

    """
    found: List[File] = []
    kinds: Dict[str, bytes] = {}
    left = TOTAL_MEGABYTES * MEGABYTE
    while True:
        member = _next_member(stream)
        if member is None:
            return tuple(found)
        _require_fit(member, kinds, found[-1].name if found else "")
        left -= member.size
        if left < 0:
            raise refused(f"all of it is more than {TOTAL_MEGABYTES} MB", member.name, LARGE)
        kinds[member.name] = member.kind
        found.append(_file(stream, member))


def refused(what: str, name: str = "", fix: str = FIX) -> NotTakenError:
    """Return the error of a context that is not taken."""
    return NotTakenError(f"The app was not taken: {what}", place=shown(name), fix=fix)


def shown(name: str) -> str:
    """Return a name that somebody else has sent as a message shows it: on one line, not too long."""
    return printable(name[:SHOWN]).replace("\n", " ")


def _file(stream: BinaryIO, member: Member) -> File:
    if member.kind == tarfile.SYMTYPE:
        content = member.target.encode()
    else:
        content = _exactly(stream, member.size)
        _exactly(stream, -member.size % BLOCK)
    plain = EXECUTABLE if member.mode & OWNER_EXECUTES else PLAIN
    return File(member.name, MODES.get(member.kind, plain), content, member.kind)


# --- What a member may be -----------------------------------------------------------------------


def _require_fit(member: Member, kinds: Dict[str, bytes], before: str) -> None:
    """Make sure that a member is harmless beside those before it.

    Raises:
        NotTakenError: it is not.

    """
    name, parts = member.name, member.name.split("/")
    if len(kinds) >= ENTRIES:
        raise refused(f"it has more than {ENTRIES} files", name, LARGE)
    if not _is_fit(name):
        raise refused("a name climbs, or has characters that no name needs", name)
    if len(parts) > DEPTH:
        raise refused(f"a folder lies deeper than {DEPTH} levels", name, LARGE)
    if name <= before:
        raise refused("its names are not in ascending order, or one stands there twice", name)
    if any(kinds.get("/".join(parts[:end])) not in PARENTS for end in range(1, len(parts))):
        raise refused("a file or a link has something below it", name)
    if member.mode & SPECIAL_BITS:
        raise refused("a file has the rights of another account (setuid, setgid or sticky)", name)
    if member.kind == tarfile.SYMTYPE and not _leads_inside(member.target, len(parts) - 1):
        raise refused("a link leads out of the app's folder", name, "Put a copy in its place.")
    if member.kind == tarfile.REGTYPE and member.size > FILE_MEGABYTES * MEGABYTE:
        raise refused(f"a file is larger than {FILE_MEGABYTES} MB", name, LARGE)
    if member.kind != tarfile.REGTYPE and member.size:
        raise refused("a folder or a link has content", name)


def _is_fit(path: str) -> bool:
    parts = path.split("/")
    return (
        not {"", ".", ".."} & set(parts)
        and len(path.encode(errors="replace")) <= NAME_BYTES
        and not UNFIT.search(path)
    )


def _leads_inside(target: str, depth: int) -> bool:
    """Tell whether a link in a folder of that depth stays inside, through whatever other link it leads.

    Behind the first name, ".." would leave the folder to which another link leads.
    """
    parts = target.split("/")
    climbing = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    inside = "/".join(parts[climbing:])
    return climbing <= depth and (_is_fit(inside) if inside else climbing > 0)


# --- The format: POSIX.1, `pax`, "ustar Interchange Format" and "pax Header" --------------------


def _next_member(stream: BinaryIO) -> Optional[Member]:
    """Return the next member, None at the end of the tar."""
    block = _exactly(stream, BLOCK)
    if not any(block):
        _require_end(stream)
        return None
    _require_header(block)
    if block[156:157] != tarfile.XHDTYPE:
        return _member(block, {})
    size = _number(block[124:136])
    if size > HEADER_BYTES:
        raise refused(f"an extended header is larger than {HEADER_BYTES} bytes")
    named = _records(_exactly(stream, size))
    _exactly(stream, -size % BLOCK)
    block = _exactly(stream, BLOCK)
    _require_header(block)
    return _member(block, named)


def _require_header(block: bytes) -> None:
    if block[257:265] != b"ustar\00000":
        raise refused("it is not a tar of the POSIX format")
    # The sum is that of a header with blanks in its place.
    if _number(block[148:156]) != sum(block[:148] + b" " * 8 + block[156:]):
        raise refused("a header of the tar is damaged")


def _member(block: bytes, named: Dict[bytes, str]) -> Member:
    kind = tarfile.REGTYPE if block[156:157] == b"\0" else block[156:157]
    prefix, name = _text(block[345:500]), _text(block[:100])
    path = named.get(b"path") or (f"{prefix}/{name}" if prefix else name)
    if kind not in (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE):
        raise refused("it holds something else than files, folders and links", path)
    if kind == tarfile.DIRTYPE and path.endswith("/"):
        path = path[:-1]
    target = named.get(b"linkpath") or _text(block[157:257])
    mode, size = _number(block[100:108]), _number(block[124:136])
    return Member(path, kind, mode, size, target if kind == tarfile.SYMTYPE else "")


def _number(field: bytes) -> int:
    found = NUMBER.fullmatch(field)
    if found is None:
        raise refused("a number in a header of the tar cannot be read")
    return int(found[1], 8)


def _text(field: bytes) -> str:
    try:
        return field.partition(b"\0")[0].decode("ascii")
    except UnicodeDecodeError:
        raise refused("a name in a header of the tar is not plain ASCII") from None


def _records(header: bytes) -> Dict[bytes, str]:
    """Return what an extended header says: lines `LENGTH KEY=VALUE`, each key once."""
    found: Dict[bytes, str] = {}
    while header:
        record = RECORD.match(header)
        length = int(record[1]) if record else 0
        if record is None or not record.end() < length <= len(header) or record[2] in found:
            raise refused("an extended header says more than names")
        if header[length - 1 : length] != b"\n":
            raise refused("an extended header is damaged")
        try:
            found[record[2]] = header[record.end() : length - 1].decode("utf-8")
        except UnicodeDecodeError:
            raise refused("a name is not UTF-8", fix="Rename the file.") from None
        header = header[length:]
    return found


def _require_end(stream: BinaryIO) -> None:
    """Make sure that nothing but zeros follows the first block of the end."""
    rest = stream.read((END_BLOCKS - 1 + PADDING_BLOCKS) * BLOCK + 1)
    if len(rest) < BLOCK or len(rest) > (END_BLOCKS - 1 + PADDING_BLOCKS) * BLOCK or any(rest):
        raise refused("something follows the end of the tar")


def _exactly(stream: BinaryIO, size: int) -> bytes:
    content = stream.read(size) if size else b""
    if len(content) != size:
        raise refused("it ends too early", fix="Run `make deploy` again.")
    return content
