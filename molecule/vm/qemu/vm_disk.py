"""Disks of virtual machines: the bare system of a lab's machines, with a kernel.

A disk is bootstrapped once and kept in a cache; each machine starts from a copy of its own, into
which its name, addresses and key are written. Neither needs a loop device.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from typing import Iterator, List, Mapping

from classvm.base import command
from classvm.base.errors import ClassvmError
from classvm.lab import system_image

# Kernels that have virtio and ext4 built in, so that they boot without an initrd.
KERNELS = {"ubuntu-22.04": "linux-image-kvm"}
SIZE = "8G"  # sparse; the bare system takes half a gigabyte of it
ADMIN_UID = 1000
ADMIN_HOME = f"/home/{system_image.ADMIN}"
# A login before this unit is done is refused: "System is booting up."
SSH_AFTER_BOOT = r"[Unit]\nAfter=systemd-user-sessions.service\n"
SSH_BY_KEY = r"PermitRootLogin no\nPasswordAuthentication no\n"


@dataclass(frozen=True)
class Disk:
    """What a machine of some system starts from.

    Attributes:
        image: file with an ext4 file system, the whole disk.
        kernel: file with the kernel of that system.

    """

    image: str
    kernel: str


def hooks() -> List[str]:
    """Return the shell commands that a virtual machine needs and a lab's container does not."""
    owner = f"-o {system_image.ADMIN} -g {system_image.ADMIN}"
    return [
        f'chroot "$1" usermod --uid={ADMIN_UID} {system_image.ADMIN}',
        f'chroot "$1" install -d -m 700 {owner} {ADMIN_HOME}/.ssh',
        'chroot "$1" systemctl enable systemd-networkd.service',
        # Its addresses are static: waiting for them would only lengthen the boot.
        'chroot "$1" systemctl disable systemd-networkd-wait-online.service',
        'ln -s ../run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf',
        'mkdir "$1"/etc/systemd/system/ssh.service.d',
        f"printf '{SSH_AFTER_BOOT}' > \"$1\"/etc/systemd/system/ssh.service.d/after-boot.conf",
        f"printf '{SSH_BY_KEY}' > \"$1\"/etc/ssh/sshd_config.d/by-key.conf",
        # Each machine gets an id of its own at its first boot, and keeps no journal on the disk.
        ': > "$1"/etc/machine-id',
        'rm -rf "$1"/etc/hosts "$1"/var/log/journal "$1"/var/cache/apt/archives/*.deb',
    ]


def mmdebstrap_argv(system: str, keyring: str, rootfs: str) -> List[str]:
    """Return the command that bootstraps a system with a kernel into a folder.

    Raises:
        ClassvmError: no kernel of that system is known to boot here.

    """
    if system not in KERNELS:
        raise ClassvmError(
            f"{system} is no system of a virtual machine; take one of {', '.join(KERNELS)}",
        )
    bare = system_image.mmdebstrap_argv(system_image.SYSTEMS[system], keyring, rootfs)
    more = [f"--include={KERNELS[system]},kmod,udev"]
    return [
        *bare[:-2],
        *more,
        "--mode=root",
        # Unpacking them again inside the machine takes minutes without KVM.
        "--skip=cleanup/apt/lists",
        *(f"--customize-hook={hook}" for hook in hooks()),
        *bare[-2:],
    ]


def mke2fs_argv(rootfs: str, image: str) -> List[str]:
    """Return the command that makes a disk out of a folder, without a loop device."""
    # Nothing is left for the first boot to initialize.
    options = "lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"
    return ["mke2fs", "-q", "-t", "ext4", "-d", rootfs, "-E", options, image, SIZE]


def name(system: str) -> str:
    """Return the name of a system's disk in the cache: another recipe gives another name."""
    recipe = [*mmdebstrap_argv(system, "", ""), *mke2fs_argv("", "")]
    return f"{system}-{hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]}"


def cache_folder(environment: Mapping[str, str] = os.environ) -> str:
    """Return the user's cache folder for classvm.

    Source: XDG Base Directory Specification, XDG_CACHE_HOME
    """
    home = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(environment.get("XDG_CACHE_HOME") or home, "classvm")


def cached(cache: str, system: str) -> Disk:
    """Return where a system's disk is in the cache, or will be."""
    folder = os.path.join(cache, name(system))
    return Disk(os.path.join(folder, "disk.ext4"), os.path.join(folder, "vmlinuz"))


def provide(cache: str, system: str, keyring: str) -> Disk:
    """Return a system's disk from the cache, after bootstrapping it if it is not there.

    Args:
        cache: a folder, made where it is missing.
        system: one of `KERNELS`.
        keyring: file with the keys that sign the system's archive.

    Raises:
        ClassvmError: the bootstrap failed; the cache then holds no disk of that name.

    """
    disk = cached(cache, system)
    folder = os.path.dirname(disk.image)
    os.makedirs(cache, exist_ok=True)
    with _locked(f"{folder}.lock"):
        if os.path.isdir(folder):
            return disk
        # Only the holder of the lock bootstraps, so a folder here was left by an interruption.
        half = f"{folder}.half"
        shutil.rmtree(half, ignore_errors=True)
        os.mkdir(half)
        try:
            _bootstrap(half, system, keyring)
            os.rename(half, folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    return disk


def _bootstrap(folder: str, system: str, keyring: str) -> None:
    rootfs = os.path.join(folder, "rootfs")
    with tempfile.TemporaryDirectory(prefix="classvm-keyring-") as public:
        os.chmod(public, 0o755)  # noqa: S103 - apt checks signatures as a user of its own
        copy = system_image.readable_copy(keyring, public)
        system_image.bootstrap(system, mmdebstrap_argv(system, copy, rootfs))
    kernels = glob.glob(os.path.join(rootfs, "boot", "vmlinuz-*"))
    if len(kernels) != 1:
        raise ClassvmError(f"{KERNELS[system]} brought {len(kernels)} kernels instead of one")
    shutil.copyfile(kernels[0], os.path.join(folder, "vmlinuz"))
    command.check(mke2fs_argv(rootfs, os.path.join(folder, "disk.ext4")))
    shutil.rmtree(rootfs)


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """Hold a lock on a file; it ends with the process."""
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def seed(image: str, files: Mapping[str, str]) -> None:
    """Write files into a disk that no machine uses.

    Files in the admin's home belong to the admin, all others to root.

    Raises:
        ClassvmError: a file on the disk differs from the given text afterwards.

    """
    with tempfile.TemporaryDirectory(prefix="classvm-seed-") as folder:
        script = os.path.join(folder, "script")
        with open(script, "w", encoding="utf-8") as file:
            file.write("\n".join(debugfs_script(folder, files)))
        for number, text in enumerate(files.values()):
            source = os.path.join(folder, str(number))
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(source, 0o644)
        said = command.check(["debugfs", "-w", "-f", script, image])
    for path, text in files.items():
        # debugfs reports a failed request as text, and not by its exit status.
        if command.check(["debugfs", "-R", f"cat {path}", image]) != text:
            raise ClassvmError(f"{path} could not be written into {image}:\n{said}")


def debugfs_script(folder: str, files: Mapping[str, str]) -> List[str]:
    """Return the requests that write files named 0, 1, … of a folder to their paths in a disk."""
    requests = []
    for number, path in enumerate(files):
        where, file = os.path.split(path)
        requests += [f'cd "{where}"', f'write "{folder}/{number}" "{file}"']
        if path.startswith(f"{ADMIN_HOME}/"):
            requests += [f"sif {file} {owner} {ADMIN_UID}" for owner in ("uid", "gid")]
    return requests
