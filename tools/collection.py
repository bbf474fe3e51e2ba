"""Build the collection classvm.kit as one file, from which `ansible-galaxy` installs it.

    python tools/collection.py build

The same tree gives the same bytes, whoever builds it, and whenever.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "ansible/collections/ansible_collections/classvm/kit"
# What Python and editors leave behind.
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*~", ".*")
MANIFEST = "MANIFEST.json"
FILES = "FILES.json"


def build(source: Path, output: Path) -> Path:
    """Build the collection in a folder; return the file, `NAMESPACE-NAME-VERSION.tar.gz`.

    Raises:
        subprocess.CalledProcessError: `ansible-galaxy` refuses the collection.

    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # `ansible-galaxy` skips links that leave the collection, so they are followed here.
        copied = shutil.copytree(source, Path(folder, "collection"), ignore=LEFT_OUT)
        command = ["ansible-galaxy", "collection", "build", "--output-path", folder, str(copied)]
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - fixed words and our own paths
        (built,) = Path(folder).glob("*.tar.gz")
        archive = output / built.name
        archive.write_bytes(reproducible(built.read_bytes()))
    return archive


def reproducible(archive: bytes) -> bytes:
    """Return a built collection without the times and the order of the folder it came from."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        modes = {member.name: member.mode for member in tar}
        contents = {member.name: file.read() for member in tar if (file := tar.extractfile(member))}
    listed = json.loads(contents[FILES])
    listed["files"].sort(key=lambda entry: entry["name"])
    contents[FILES] = _json(listed)
    manifest = json.loads(contents[MANIFEST])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents[FILES]).hexdigest()
    contents[MANIFEST] = _json(manifest)
    return gzip.compress(_tar(modes, contents), mtime=0)


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


def _tar(modes: dict[str, int], contents: dict[str, bytes]) -> bytes:
    """Pack the folders and files of `modes`; folders have no contents."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, mode in sorted(modes.items()):
            # Owner and time of a new TarInfo are 0.
            member = tarfile.TarInfo(name)
            member.mode = mode
            if name in contents:
                member.size = len(contents[name])
            else:
                member.type = tarfile.DIRTYPE
            tar.addfile(member, io.BytesIO(contents.get(name, b"")))
    return packed.getvalue()


def main() -> int:
    """Build the collection in the folder that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path, help="folder for the file")
    try:
        print(build(SOURCE, parser.parse_args().output))
    except subprocess.CalledProcessError as error:
        print(f"ansible-galaxy refuses the collection: {error.stderr.strip()}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
