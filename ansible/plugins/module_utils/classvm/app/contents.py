"""Say what an app is made of, in a text whose length has a limit whatever the app's size.

The text becomes a label of the service image, and a label is an argument of `docker build`:
Linux refuses an argument of more than 128 KiB, and a reader a comparison of 6,000 lines.
"""

from __future__ import annotations

import hashlib
import json
from typing import Dict, Mapping

MAX_LENGTH = 32_000
DIGEST_LENGTH = 8


def describe(files: Mapping[str, str], packages: Mapping[str, str]) -> str:
    """Return the digest of each file and the version of each package, as JSON.

    Where that is too long, the folders with the most files count as one file each.

    Args:
        files: digest (hex) of each file by its path.
        packages: version of each package by its name.

    Returns:
        for example ``{"file server.py": "1f2e3d4c", "folder data/": "…", "package flask": "2.2.5"}``,
        at most `MAX_LENGTH` characters.

    """
    entries = {name: digest[:DIGEST_LENGTH] for name, digest in files.items()}
    versions = {f"package {name}": version for name, version in packages.items()}
    if len(_json({}, versions)) > MAX_LENGTH / 2:
        versions = {f"all {len(packages)} packages": _digest(versions)}
    while len(_json(entries, versions)) > MAX_LENGTH:
        entries = _without_largest_folders(entries)
    return _json(entries, versions)


def _json(entries: Mapping[str, str], versions: Mapping[str, str]) -> str:
    named = {
        f"{'folder' if name.endswith('/') else 'file'} {name}": digest
        for name, digest in entries.items()
    }
    return json.dumps({**named, **versions}, separators=(",", ":"))


def _without_largest_folders(entries: Mapping[str, str]) -> Dict[str, str]:
    """Return the entries with one line for each folder that has nearly as many as the largest."""
    folders: Dict[str, Dict[str, str]] = {}
    for name, digest in entries.items():
        folders.setdefault(_folder(name), {})[name] = digest
    # The top folder comes last: with it, nothing would be told apart any more.
    below = {folder: inside for folder, inside in folders.items() if folder != "./"} or folders
    most = max(map(len, below.values()))
    large = {folder for folder, inside in below.items() if 2 * len(inside) >= most}
    kept = {
        name: digest
        for folder, inside in folders.items()
        if folder not in large
        for name, digest in inside.items()
    }
    return {**kept, **{folder: _digest(folders[folder]) for folder in large}}


def _folder(name: str) -> str:
    """Return the folder of an entry, with a slash at its end: "data/" of "data/a.csv"."""
    parent = name.rstrip("/").rpartition("/")[0]
    return f"{parent or '.'}/"


def _digest(entries: Mapping[str, str]) -> str:
    lines = "".join(f"{name}\0{value}\n" for name, value in sorted(entries.items()))
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()[:DIGEST_LENGTH]
