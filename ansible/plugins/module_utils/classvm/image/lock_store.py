"""The locks that this host has compiled, one file each in the state folder.

A lock says which version of each package an app gets, with hashes. Compiling one asks the package
index, so the same list could give another answer tomorrow. A stored lock makes the same list give the
same packages, and spares the time.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tarfile
from typing import Collection, List

from ..base import state

FOLDER = "locks"
SUFFIX = ".txt"
# In the build context of the kit.
LOCK = "requirements.txt"
LOCK_MODE = 0o644


def lock_id(base_digest: str, source: str) -> str:
    """Return the id of a lock: sha256, hex.

    Args:
        base_digest: digest of the base image's layers, whose Python compiles the lock.
        source: digest of the list of requirements and of the tools that compile it.

    """
    return hashlib.sha256(f"{base_digest}\n{source}".encode()).hexdigest()


def read(state_dir: str, name: str) -> str:
    """Return the text of a lock, "" where this host has none of that id.

    Raises:
        ClassvmError: this account may not read it.

    """
    return state.read(_path(state_dir, name))


def write(state_dir: str, name: str, text: str) -> None:
    """Store a lock in one step; an interruption leaves none, or all of it.

    Raises:
        ClassvmError: the file cannot be written.

    """
    state.make_folder(os.path.join(state_dir, FOLDER))
    state.write_atomically(_path(state_dir, name), text)


def prune(state_dir: str, used: Collection[str]) -> List[str]:
    """Remove the locks that no image needs any more; return their ids.

    One that cannot be removed is left for the next time.

    Args:
        state_dir: folder with the host's state.
        used: ids of the locks that stay.

    """
    removed = []
    for name in stored(state_dir):
        if name not in used:
            with contextlib.suppress(OSError):
                os.remove(_path(state_dir, name))
                removed.append(name)
    return removed


def stored(state_dir: str) -> List[str]:
    """Return the ids of the locks that this host has; [] where it has none."""
    try:
        files = os.listdir(os.path.join(state_dir, FOLDER))
    except OSError:
        return []
    return sorted(file[: -len(SUFFIX)] for file in files if file.endswith(SUFFIX))


def with_lock(context: bytes, text: str) -> bytes:
    """Return a build context, a tar file, with the lock in it; equal content gives equal bytes."""
    buffer = io.BytesIO(context)
    with tarfile.open(fileobj=buffer, mode="a", format=tarfile.PAX_FORMAT) as archive:
        content = text.encode()
        member = tarfile.TarInfo(LOCK)
        member.mode, member.size = LOCK_MODE, len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _path(state_dir: str, name: str) -> str:
    return os.path.join(state_dir, FOLDER, name + SUFFIX)
