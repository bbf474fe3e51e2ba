"""Disks of virtual machines; what makes them are scripts, but for one real little disk."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.base import command
from classvm.base.errors import ClassvmError
from classvm.lab import system_image
from qemu import vm_disk

if TYPE_CHECKING:
    from collections.abc import Callable

SYSTEM = "ubuntu-22.04"
HOME = f"{vm_disk.ADMIN_HOME}/.ssh"
FILES = {"/etc/hostname": "vm-148-9\n", f"{HOME}/authorized_keys": "ssh-ed25519 AAAA lab\n"}
MMDEBSTRAP = """
for folder; do :; done
/bin/mkdir -p "$folder/boot"; echo kernel > "$folder/boot/vmlinuz-5.15-kvm"
"""
MKE2FS = 'while [ "$#" -gt 2 ]; do shift; done; echo disk > "$1"'


# --- the commands ------------------------------------------------------------------------------


def test_the_bootstrap_is_that_of_the_lab_with_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_image, "PACKAGES", ("sudo", "python3"))
    monkeypatch.setattr(system_image, "hooks", lambda: ["bare"])
    monkeypatch.setattr(vm_disk, "hooks", lambda: ["one", "two"])
    assert vm_disk.mmdebstrap_argv(SYSTEM, "/k.gpg", "/root-folder") == [
        "mmdebstrap",
        "--variant=apt",
        "--components=main,universe",
        "--keyring=/k.gpg",
        "--include=sudo,python3",
        "--customize-hook=bare",
        "--include=linux-image-kvm,kmod,udev",
        "--mode=root",
        "--skip=cleanup/apt/lists",
        "--customize-hook=one",
        "--customize-hook=two",
        "jammy",
        "/root-folder",
    ]


def test_hooks() -> None:
    assert vm_disk.hooks() == [
        'chroot "$1" usermod --uid=1000 admin',
        f'chroot "$1" install -d -m 700 -o admin -g admin {HOME}',
        'chroot "$1" systemctl enable systemd-networkd.service',
        'chroot "$1" systemctl disable systemd-networkd-wait-online.service',
        'ln -s ../run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf',
        'mkdir "$1"/etc/systemd/system/ssh.service.d',
        (
            r"printf '[Unit]\nAfter=systemd-user-sessions.service\n'"
            ' > "$1"/etc/systemd/system/ssh.service.d/after-boot.conf'
        ),
        (
            r"printf 'PermitRootLogin no\nPasswordAuthentication no\n'"
            ' > "$1"/etc/ssh/sshd_config.d/by-key.conf'
        ),
        ': > "$1"/etc/machine-id',
        'rm -rf "$1"/etc/hosts "$1"/var/log/journal "$1"/var/cache/apt/archives/*.deb',
    ]


def test_mke2fs_argv() -> None:
    assert vm_disk.mke2fs_argv("/root-folder", "/disk") == [
        *("mke2fs", "-q", "-t", "ext4", "-d", "/root-folder"),
        *("-E", "lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0", "/disk", "8G"),
    ]


# --- the cache -----------------------------------------------------------------------------------


@pytest.fixture
def cache(program: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to be made by a bootstrap that takes no time."""
    monkeypatch.setattr(vm_disk, "hooks", list)
    monkeypatch.setattr(system_image, "hooks", list)
    program("mmdebstrap", MMDEBSTRAP)
    program("mke2fs", MKE2FS)
    return tmp_path / "cache"


def provide(cache: Path) -> vm_disk.Disk:
    keyring = cache.with_name("private") / "keyring.gpg"
    keyring.parent.mkdir(mode=0o700, exist_ok=True)
    keyring.touch(mode=0o600)
    return vm_disk.provide(str(cache), SYSTEM, str(keyring))


def test_a_disk_is_bootstrapped_once(cache: Path, program: Callable[..., Path]) -> None:
    calls = program("mmdebstrap", MMDEBSTRAP)
    disk = provide(cache)
    assert Path(disk.image).read_text() == "disk\n"
    assert Path(disk.kernel).read_text() == "kernel\n"
    assert provide(cache) == disk
    assert len(calls.read_text().splitlines()) == 1
    # A copy that apt's own user may read, not the one in a private folder.
    assert "/classvm-keyring-" in calls.read_text()
    assert "private" not in calls.read_text()
    name = vm_disk.name(SYSTEM)
    assert {path.name for path in cache.iterdir()} == {name, f"{name}.lock"}
    assert {path.name for path in (cache / name).iterdir()} == {"disk.ext4", "vmlinuz"}


@pytest.mark.parametrize("name", ["mmdebstrap", "mke2fs"])
def test_a_bootstrap_that_fails_leaves_nothing(
    name: str, cache: Path, program: Callable[..., Path]
) -> None:
    program(name, "echo no network, or no room >&2; exit 25")
    with pytest.raises(ClassvmError, match="no network, or no room"):
        provide(cache)
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_what_a_bootstrap_cut_off_left_is_cleared_away(cache: Path) -> None:
    half = cache / f"{vm_disk.name(SYSTEM)}.half"
    half.mkdir(parents=True)
    (half / "disk.ext4").write_text("half")
    assert Path(provide(cache).image).read_text() == "disk\n"
    assert not half.exists()


@pytest.mark.parametrize("kernels", [[], ["vmlinuz-1", "vmlinuz-2"]], ids=["none", "two"])
def test_a_disk_has_one_kernel(
    kernels: list[str], cache: Path, program: Callable[..., Path]
) -> None:
    touch = "".join(f'; echo > "$folder/boot/{name}"' for name in kernels)
    program("mmdebstrap", f'for folder; do :; done; /bin/mkdir -p "$folder/boot"{touch}')
    with pytest.raises(ClassvmError, match=rf"brought {len(kernels)} kernels instead of one"):
        provide(cache)


def test_another_recipe_is_another_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    name = vm_disk.name(SYSTEM)
    assert name.startswith(f"{SYSTEM}-")
    assert vm_disk.name(SYSTEM) == name
    monkeypatch.setattr(vm_disk, "SIZE", "9G")
    assert vm_disk.name(SYSTEM) != name
    monkeypatch.undo()
    monkeypatch.setattr(system_image, "PACKAGES", (*system_image.PACKAGES, "git"))
    assert vm_disk.name(SYSTEM) != name


def test_a_system_without_a_kernel_is_refused() -> None:
    with pytest.raises(ClassvmError, match=r"debian-12 is no system .* take one of ubuntu-22\.04"):
        vm_disk.name("debian-12")


def test_the_kernels_are_of_systems_that_can_be_bootstrapped() -> None:
    assert vm_disk.KERNELS.keys() <= system_image.SYSTEMS.keys()


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_CACHE_HOME": "/cache"}, "/cache/classvm"),
        ({"XDG_CACHE_HOME": ""}, "{}/.cache/classvm"),
        ({}, "{}/.cache/classvm"),
    ],
)
def test_cache_folder(environment: dict[str, str], folder: str) -> None:
    assert vm_disk.cache_folder(environment) == folder.format(Path.home())


# --- what is written into it -----------------------------------------------------------------


def test_debugfs_script() -> None:
    assert vm_disk.debugfs_script("/with space", FILES) == [
        'cd "/etc"',
        'write "/with space/0" "hostname"',
        f'cd "{HOME}"',
        'write "/with space/1" "authorized_keys"',
        "sif authorized_keys uid 1000",
        "sif authorized_keys gid 1000",
    ]


# Debian keeps them in a folder that only root has on PATH; nothing of this needs root.
REAL_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a real disk with the folders of a system."""
    if not shutil.which("mke2fs", path=REAL_PATH) or not shutil.which("debugfs", path=REAL_PATH):
        pytest.skip("e2fsprogs is not installed here")
    monkeypatch.setenv("PATH", REAL_PATH)
    monkeypatch.setattr(vm_disk, "SIZE", "2M")
    for path in FILES:
        (tmp_path / "root" / path[1:]).parent.mkdir(parents=True)
    command.check(vm_disk.mke2fs_argv(str(tmp_path / "root"), str(tmp_path / "disk")))
    return tmp_path / "disk"


def ask(disk: Path, request: str) -> str:
    return command.check(["debugfs", "-R", request, str(disk)])


def test_a_real_disk_gets_the_files(disk: Path) -> None:
    vm_disk.seed(str(disk), FILES)
    assert {path: ask(disk, f"cat {path}") for path in FILES} == FILES
    key = ask(disk, f"stat {HOME}/authorized_keys")
    assert re.search(r"Mode:\s+0644", key)
    assert re.search(r"User:\s+1000\s+Group:\s+1000", key)
    assert re.search(r"User:\s+0\s+Group:\s+0", ask(disk, "stat /etc/hostname"))


def test_a_file_that_is_there_already_is_no_silent_failure(disk: Path) -> None:
    vm_disk.seed(str(disk), {"/etc/hostname": "old\n"})
    with pytest.raises(ClassvmError, match="/etc/hostname could not be written"):
        vm_disk.seed(str(disk), {"/etc/hostname": "new\n"})
