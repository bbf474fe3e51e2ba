"""Build contexts as a hostile clone would send them: a request, and a tar of whatever it likes."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from classvm.app import pack
from classvm.image import source
from classvm.program import protocol

FILE_MODE = 0o644
BLOCK = 512


@dataclass(frozen=True)
class App:
    """What a clone sends of an app that is in order.

    Attributes:
        packed: its build context.
        contract: its contract document.

    """

    packed: pack.Packed
    contract: str

    @classmethod
    def of(cls, read: source.Source) -> App:
        """Return what is sent of an app that was read."""
        return cls(read.packed, read.contract)

    def request(self, **members: Any) -> bytes:
        """Return the line before the tar."""
        told = {"protocol": protocol.PROTOCOL, "contract": self.contract, **members}
        return json.dumps(told).encode() + b"\n"

    def sent(self, archive: bytes, **members: Any) -> bytes:
        """Return a request with a tar."""
        return self.request(**members) + archive

    def with_files(self, *files: pack.File) -> bytes:
        """Return the tar with some files in the place of those of their names, or beside them."""
        every = {file.name: file for file in (*self.packed.files, *files)}
        return tar(every[name] for name in sorted(every))

    def with_dockerfile(self, change: Callable[[str], str]) -> bytes:
        """Return the tar with another Dockerfile."""
        (own,) = (file for file in self.packed.files if file.name == "Dockerfile")
        return self.with_files(text("Dockerfile", change(own.content.decode())))

    def with_member(self, member: tarfile.TarInfo, content: bytes = b"") -> bytes:
        """Return the tar with one more member at the end of it, whatever its name."""
        return tar(self.packed.files, (member, content))


def text(name: str, content: str) -> pack.File:
    """Return a file of a context."""
    return pack.File(name, FILE_MODE, content.encode())


def tar(files: Iterable[pack.File], *more: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Return files and members as a tar, in that order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in files:
            archive.addfile(*member(file))
        for one, content in more:
            archive.addfile(one, io.BytesIO(content))
    return buffer.getvalue()


def member(file: pack.File) -> tuple[tarfile.TarInfo, io.BytesIO]:
    """Return a file as a member of a tar."""
    about = of_kind(file.name, file.kind, mode=file.mode)
    if file.kind == tarfile.SYMTYPE:
        about.linkname = file.content.decode()
        return about, io.BytesIO()
    about.size = len(file.content)
    return about, io.BytesIO(file.content)


def of_kind(
    name: str,
    kind: bytes = tarfile.REGTYPE,
    *,
    target: str = "",
    mode: int = FILE_MODE,
    size: int = 0,
) -> tarfile.TarInfo:
    """Return the header of a member."""
    about = tarfile.TarInfo(name)
    about.type, about.linkname, about.mode, about.size = kind, target, mode, size
    return about
