"""Images of bare systems, bootstrapped from their archives, that start as class VMs of a lab.

Bare means: systemd, SSH, Python, an admin with sudo and no password; no Docker.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
from dataclasses import dataclass
from typing import Dict, List, Mapping

from ..base import command, progress, scratch, systems
from ..base.docker import Docker
from ..base.errors import ClassvmError

ADMIN = "admin"
PACKAGES = (
    *("systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "sudo"),
    *("python3", "python3-apt", "iproute2", "procps", "ca-certificates"),
)
# Each VM has host keys of its own, made when it boots for the first time.
HOST_KEYS_UNIT = """\
[Unit]
Description=Host keys of the SSH server
Before=ssh.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
"""
BOOTSTRAP_TIMEOUT = 900
LABEL_SYSTEM = "classvm.vm.system"


@dataclass(frozen=True)
class System:
    """A distribution that class VMs run.

    Attributes:
        suite: name of the release in its archive.
        components: parts of the archive, separated by commas.

    """

    suite: str
    components: str


COMPONENTS = {"Debian": "main", "Ubuntu": "main,universe"}
SYSTEMS: Dict[str, System] = {
    system.name: System(system.suite, COMPONENTS[system.distribution])
    for system in systems.SUPPORTED
}


def hooks() -> List[str]:
    """Return the shell commands that finish a root file system, whose path is "$1"."""
    unit = "etc/systemd/system/classvm-host-keys.service"
    sudoers = "etc/sudoers.d/admin"
    return [
        'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf',
        f'chroot "$1" useradd --create-home --shell /bin/bash {ADMIN}',
        f'echo "{ADMIN} ALL=(ALL) NOPASSWD: ALL" > "$1"/{sudoers} && chmod 440 "$1"/{sudoers}',
        f'printf %s {shlex.quote(HOST_KEYS_UNIT)} > "$1"/{unit}',
        'chroot "$1" systemctl enable classvm-host-keys.service',
    ]


def mmdebstrap_argv(system: System, keyring: str, rootfs: str) -> List[str]:
    """Return the command that bootstraps a bare system into a tar file.

    mmdebstrap picks the default mirror and the suites -updates and -security by itself.
    """
    return [
        "mmdebstrap",
        "--variant=apt",
        f"--components={system.components}",
        f"--keyring={keyring}",
        f"--include={','.join(PACKAGES)}",
        *(f"--customize-hook={hook}" for hook in hooks()),
        system.suite,
        rootfs,
    ]


def name(system: str) -> str:
    """Return the name of a system's image: another recipe gives another name."""
    recipe = "\n".join(mmdebstrap_argv(SYSTEMS[system], "", ""))
    return f"classvm/vm-{system}:{hashlib.sha256(recipe.encode()).hexdigest()[:7]}"


def readable_copy(keyring: str, folder: str) -> str:
    """Copy a keyring into a folder that everybody may read; return its path there.

    apt checks signatures as the user ``_apt``, who cannot enter the private folder of a clone.

    Raises:
        ClassvmError: the keyring cannot be read.

    """
    copy = os.path.join(folder, "keyring.gpg")
    try:
        shutil.copyfile(keyring, copy)
    except OSError as error:
        raise ClassvmError(
            f"The keyring {keyring} cannot be read ({error.strerror}). In a clone,"
            " `git checkout -- roles` brings it back; on Debian and Ubuntu,"
            " `apt-get install debian-archive-keyring` brings Debian's.",
        ) from error
    os.chmod(copy, 0o644)
    return copy


def bootstrap(system: str, argv: List[str]) -> None:
    """Run mmdebstrap.

    Raises:
        ClassvmError: it failed; the first line has the reason that apt or mmdebstrap gave.

    """
    progress.say(f"bootstrapping {system}")
    # Its own folder lies beside the result, where programs may run.
    settings = {"TMPDIR": os.path.dirname(argv[-1])}
    finished = command.run(argv, env=settings, timeout=BOOTSTRAP_TIMEOUT, heard=progress.say_noted)
    if finished.code == 0:
        return
    # apt marks an error with "E:"; mmdebstrap's own last line only names the step that failed.
    marked = re.findall(r"^(?:E|W: GPG error): (.+)$", finished.err, re.MULTILINE)
    last = finished.err.strip().splitlines()[-1:]
    reason = next(iter([*marked, *last]), f"mmdebstrap ended with exit status {finished.code}")
    raise ClassvmError(
        f"{system} could not be bootstrapped: {reason}",
        fix="`make lab-up` tries again.",
        details=command.CommandError(finished).details,
    )


def provide(docker: Docker, system: str, keyrings: Mapping[str, str]) -> bool:
    """Make sure that the image of a system is here; return whether it had to be made.

    Args:
        docker: the control node's engine.
        system: one of `SYSTEMS`.
        keyrings: file with the keys that sign the archive, by distribution ("debian", "ubuntu").

    Raises:
        ClassvmError: the system is not known, or could not be bootstrapped.

    """
    if system not in SYSTEMS:
        raise ClassvmError(
            f"{system} is no system of a lab", fix=f"Take one of {', '.join(SYSTEMS)}."
        )
    if docker.image(name(system)) is not None:
        return False
    with scratch.folder("classvm-vm-") as folder:
        rootfs = os.path.join(folder, "rootfs.tar")
        keyring = readable_copy(keyrings[system.partition("-")[0]], folder)
        bootstrap(system, mmdebstrap_argv(SYSTEMS[system], keyring, rootfs))
        start = ("--change", 'CMD ["/lib/systemd/systemd"]')
        label = ("--change", f"LABEL {LABEL_SYSTEM}={system}")
        docker.check("import", *start, *label, rootfs, name(system))
    return True
