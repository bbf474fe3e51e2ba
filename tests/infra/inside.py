"""Inspect the files of a container from inside, with its own Python (3.7 or newer).

It prints JSON: see `main`. It uses the standard library only.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import shutil
import stat
import sys
from pathlib import Path

# Programs that build or install software must not be in the image.
COMPILERS = ("as", "c++", "c99", "cc", "clang", "cpp", "g++", "gcc", "go", "ld", "make", "rustc")
INSTALLERS = ("easy_install", "ensurepip", "pip", "pip3", "pip3.7", "uv", "pipx", "poetry")
CODE = (".py", ".so", ".pth")


def read(path: Path) -> list[str]:
    """Return the lines of a file; none when it is missing."""
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def sha256(path: Path) -> str:
    """Return the digest of a file, hex; "" when it is missing."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def recorded(value: str) -> str:
    """Return the digest that a line of RECORD holds, hex."""
    _, _, text = value.partition("=")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()


def tree(folder: Path) -> dict[str, str]:
    """Return the digest of each file below a folder, by relative path."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): sha256(path) for path in files}


def packages(folder: Path) -> dict[str, object]:
    """Return the packages installed in a folder, and the files that do not match their RECORD."""
    versions, changed, known = [], [], set()
    for info in sorted(folder.glob("*.dist-info")):
        fields = dict(line.split(": ", 1) for line in read(info / "METADATA")[:10] if ": " in line)
        versions.append([fields.get("Name", info.name), fields.get("Version", "")])
        rows = list(csv.reader(read(info / "RECORD")))
        known |= {os.path.normpath(str(folder / row[0])) for row in rows}
        hashed = [(row[0], row[1]) for row in rows if row[1]]
        changed += [at for at, value in hashed if sha256(folder / at) != recorded(value)]
    code = [path for path in folder.rglob("*") if path.suffix in CODE]
    foreign = [str(path) for path in code if os.path.normpath(str(path)) not in known]
    return {"versions": versions, "changed": changed, "foreign": foreign}


def programs(names: tuple[str, ...]) -> list[str]:
    """Return the names for which a program or a module exists."""
    on_path = {name for name in names if shutil.which(name)}
    modules = {name for name in names for at in sys.path if at and Path(at, name).is_dir()}
    return sorted(on_path | modules)


def privileged() -> list[str]:
    """Return the files that run with the rights of their owner or group (setuid, setgid)."""
    bits = stat.S_ISUID | stat.S_ISGID
    found = []
    for folder, names, files in os.walk("/"):
        names[:] = [name for name in names if folder != "/" or name not in ("proc", "sys")]
        paths = [os.path.join(folder, name) for name in files]
        found += [path for path in paths if is_regular_with(path, bits)]
    return sorted(found)


def is_regular_with(path: str, bits: int) -> bool:
    """Tell whether a path is a regular file that has one of the mode bits."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:  # it has just gone
        return False
    return stat.S_ISREG(mode) and bool(mode & bits)


def site() -> Path:
    """Return the folder with the installed packages."""
    return next(Path(at) for at in sys.path if at.endswith("site-packages"))


def main() -> None:
    """Print the system, Python, packages, tools, and the files of the service as JSON."""
    release = [line.split("=", 1) for line in read(Path("/etc/os-release")) if "=" in line]
    found = {
        "system": dict(release),
        "python": list(sys.version_info[:3]),
        "packages": packages(site()),
        "compilers": programs(COMPILERS),
        "installers": programs(INSTALLERS),
        "files": tree(Path.cwd()),
        "privileged": privileged(),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
