"""Provide Ubuntu 18.04 as a local image: pulled, loaded from a file, or bootstrapped.

A bootstrapped image is built by mmdebstrap from the signed Ubuntu archive. The suites are
frozen and every time stamp is clamped, so machines with the same mmdebstrap get the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import tarfile
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Sequence, Tuple

from ..base import command, progress, scratch
from ..base.docker import Docker, Image
from ..base.errors import ClassvmError

SUITE = "bionic"
UBUNTU_VERSION = "18.04"
# The day standard support of 18.04 ended; any fixed moment makes the image reproducible.
SOURCE_DATE_EPOCH = 1685491200
# The key of 2012 that signed bionic has a self-signature with SHA-1, which Debian 13 no longer
# accepts. We accept it, because the key comes from our keyring; the archive is signed with SHA-512.
SEQUOIA_POLICY = "[hash_algorithms]\nsha1.second_preimage_resistance = 2040-01-01\n"
# Files that no container needs; Ubuntu's own image leaves them out, too.
TRIMMED = (
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/bash-completion",
    "usr/share/lintian",
    "usr/share/gcc-8",
    "var/lib/apt/lists",
    "var/log/apt",
)
# Docker images keep no package cache: apt forgets what it downloaded after each install.
APT_IN_DOCKER = (
    'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";'
    ' DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };'
)
PULL_TIMEOUT = 300
BOOTSTRAP_TIMEOUT = 900
# The exit code of `docker run` for a failure of the engine, not of the program in the container.
ENGINE_FAILED = 125


class WrongImageError(ClassvmError):
    """An image is not Ubuntu 18.04."""


@dataclass(frozen=True)
class Sources:
    """Where the base image may come from.

    Attributes:
        order: names out of "pull", "bootstrap", "archive", tried one after the other.
        reference: what to pull, with a digest.
        archive: path of a file made by `docker save`, or "".
        keyring: path of the keyring that the Ubuntu archive's signatures are checked against.

    Raises:
        ClassvmError: `order` has another name.

    """

    order: Sequence[str]
    reference: str
    archive: str
    keyring: str

    def __post_init__(self) -> None:
        """Validate the order."""
        unknown = [name for name in self.order if name not in _SOURCES]
        if unknown:
            raise ClassvmError(
                f"There is no source {', '.join(unknown)} of the base image",
                fix=f"Set base_image_sources to a list of {', '.join(_SOURCES)}.",
            )


def provide(docker: Docker, name: str, sources: Sources) -> Tuple[Image, str]:
    """Make sure that a local image ``name`` is Ubuntu 18.04.

    Returns:
        The image, and where it came from: "present", "pull", "bootstrap" or "archive".

    Raises:
        ClassvmError: no source worked, with the reason of each.

    """
    if docker.image(name) is not None:
        # A run may have been cut off before it looked at what it had loaded.
        with contextlib.suppress(WrongImageError):
            return _verified(docker, name), "present"
    reasons: List[str] = []
    for source in sources.order:
        progress.say(f"source: {source}")
        try:
            _SOURCES[source](docker, name, sources)
            return _verified(docker, name), source
        except ClassvmError as reason:
            reasons.append(f"{source}: {reason.line}")
    raise ClassvmError(
        f"No source gave the base image {name}: {', '.join(sources.order)} failed",
        fix="On a machine that has it, run `docker save -o base.tar IMAGE`, then deploy here with"
        " base_image_archive set to that file.",
        details="\n".join(reasons),
    )


def remove(docker: Docker, name: str) -> None:
    """Remove the local image ``name``."""
    docker.check("image", "rm", name)


def save(docker: Docker, name: str, path: str) -> None:
    """Write the local image ``name`` to a file that every account may read, in one step."""
    new = f"{path}.new"
    docker.check("save", "--output", new, name)
    os.chmod(new, 0o644)
    os.replace(new, path)


def _verified(docker: Docker, name: str) -> Image:
    """Return the image if it really is Ubuntu 18.04.

    Raises:
        WrongImageError: it is not; it was removed.
        ClassvmError: the engine starts no container; the image was left.

    """
    said = docker.run("run", "--rm", "--network=none", name, "cat", "/etc/os-release")
    if said.code == ENGINE_FAILED:
        raise command.CommandError(
            said,
            f"The engine starts no container of {name}",
            fix="`make doctor` looks at the engine.",
        )
    image = docker.image(name)
    if f'VERSION_ID="{UBUNTU_VERSION}"' not in said.out or image is None:
        remove(docker, name)
        raise WrongImageError(
            f"{name} is not an image of Ubuntu {UBUNTU_VERSION}",
            fix="Set base_image_reference or base_image_archive to one that is.",
            details=said.last_lines(),
        )
    return image


def _pull(docker: Docker, name: str, sources: Sources) -> None:
    pulled = docker.run_within(PULL_TIMEOUT, "pull", "--quiet", sources.reference)
    if pulled.code:
        raise command.CommandError(
            pulled,
            f"{sources.reference} was not pulled",
            fix="Correct base_image_reference, or leave `pull` out of base_image_sources.",
        )
    docker.check("tag", sources.reference, name)


def _archive(docker: Docker, name: str, sources: Sources) -> None:
    if not sources.archive:
        raise ClassvmError(
            "No file is given", fix="Set base_image_archive to one that holds an image."
        )
    if not os.path.isfile(sources.archive):
        raise ClassvmError(
            f"{sources.archive} is not a file on this host", fix="Correct base_image_archive."
        )
    said = docker.check("load", "--quiet", "--input", sources.archive)
    # "Loaded image: NAME" or "Loaded image ID: sha256:…", one line per image in the file.
    loaded = [line.partition(": ")[2] for line in said.splitlines() if line.startswith("Loaded")]
    if len(loaded) != 1:
        raise ClassvmError(
            f"{sources.archive} holds {len(loaded)} images instead of one",
            fix="Save one: `docker save -o base.tar IMAGE`.",
        )
    docker.check("tag", loaded[0], name)


def _bootstrap(docker: Docker, name: str, sources: Sources) -> None:
    if shutil.which("mmdebstrap") is None:
        raise ClassvmError(
            "mmdebstrap is not installed", fix="Run `sudo apt-get install mmdebstrap`."
        )
    with scratch.folder("classvm-base-") as folder:
        rootfs = os.path.join(folder, "rootfs.tar")
        policy = os.path.join(folder, "sequoia.toml")
        with open(policy, "w", encoding="ascii") as file:
            file.write(SEQUOIA_POLICY)
        command.check(
            mmdebstrap_argv(sources.keyring, rootfs),
            env={
                "SOURCE_DATE_EPOCH": str(SOURCE_DATE_EPOCH),
                "APT_SEQUOIA_CRYPTO_POLICY": policy,
                # Its own folder lies in this one, too: it runs programs there.
                "TMPDIR": folder,
            },
            timeout=BOOTSTRAP_TIMEOUT,
            heard=progress.say_noted,
        )
        progress.say("packing it as an image")
        layer = os.path.join(folder, "layer.tar")
        rewrite(rootfs, layer)
        archive = os.path.join(folder, "image.tar")
        write_image_archive(layer, name, archive)
        docker.check("load", "--quiet", "--input", archive)


_SOURCES = {"pull": _pull, "bootstrap": _bootstrap, "archive": _archive}


def mmdebstrap_argv(keyring: str, rootfs: str) -> List[str]:
    """Return the command that bootstraps the root file system into a tar file.

    mmdebstrap picks the default mirror and the suites -updates and -security by itself.
    """
    trim = "rm -rf " + " ".join(f'"$1"/{path}/*' for path in TRIMMED)
    # The last two come from the building machine; Docker gives each container its own.
    forget = (
        'rm -f "$1"/var/log/*.log "$1"/var/cache/apt/*.bin'
        ' "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old'
        ' "$1"/etc/hostname "$1"/etc/resolv.conf'
    )
    return [
        "mmdebstrap",
        "--variant=apt",
        "--components=main,universe",
        f"--keyring={keyring}",
        f"--customize-hook={trim}",
        '--customize-hook=find "$1"/usr/share/doc -type f ! -name copyright -delete',
        f"--customize-hook={forget}",
        f"--customize-hook=echo '{APT_IN_DOCKER}' > \"$1\"/etc/apt/apt.conf.d/docker-clean",
        SUITE,
        rootfs,
    ]


def rewrite(rootfs: str, layer: str) -> None:
    """Copy a tar file member by member, in the same order.

    Releases of GNU tar fill the unused fields of a header differently; Python's do not. So
    hosts with different releases of it get the same bytes.
    """
    with tarfile.open(rootfs) as old, tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as new:
        for member in old:
            new.addfile(member, old.extractfile(member) if member.isreg() else None)


def write_image_archive(rootfs: str, name: str, archive: str) -> None:
    """Pack a root file system into a file that `docker load` reads.

    `docker import` would write the present time into the image, so the same bytes would get
    another id on each machine.
    Source: https://github.com/moby/docker-image-spec, "Image JSON" and "Combined Image JSON".
    """
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(SOURCE_DATE_EPOCH))
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": created,
            "config": {
                "Cmd": ["/bin/bash"],
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "Labels": {"org.opencontainers.image.version": UBUNTU_VERSION},
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256_of_file(rootfs)}"]},
            "history": [{"created": created, "created_by": f"mmdebstrap {SUITE}"}],
        },
        sort_keys=True,
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest: List[Dict[str, Any]] = [
        {"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]},
    ]
    with tarfile.open(archive, "w") as bundle:
        _add(bundle, config_name, config)
        _add(bundle, "manifest.json", json.dumps(manifest).encode())
        bundle.add(rootfs, arcname="layer.tar")


def _add(bundle: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    bundle.addfile(member, io.BytesIO(content))


def _sha256_of_file(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as content:
        for chunk in iter(lambda: content.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()
