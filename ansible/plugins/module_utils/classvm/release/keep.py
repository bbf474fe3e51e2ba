"""The folders of an app that survive releases and rollbacks: a volume of the host for each.

The image names them in a label, so that a rollback needs nothing but the image. Only live containers
get them: what the contract check writes into a candidate must not reach a student's data.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..base.docker import Docker, Image
from ..base.names import container_name
from ..image.image_labels import LABEL_APP, LABEL_KEEP

# What Docker takes as the name of a volume.
UNFIT = re.compile(r"[^A-Za-z0-9_.-]")
VOLUME = re.compile(r"classvm-.+-keep-")
DIGEST_LENGTH = 8
# Where the kit puts the app; the names of its volumes leave it out.
APP_FOLDER = "/service/"
# Name of the setting in the container's label, before the folder.
SETTING = "keep "


def folders(image: Optional[Image]) -> Tuple[str, ...]:
    """Return the folders that an image wants to be kept; () where it names none."""
    try:
        named = json.loads(image.labels.get(LABEL_KEEP, "[]") if image else "[]")
    except ValueError:
        return ()
    return tuple(sorted(map(str, named))) if isinstance(named, list) else ()


def volume(service: str, folder: str) -> str:
    """Return the name of the volume for a folder of the container; no two folders share one."""
    inside = folder[len(APP_FOLDER) :] if folder.startswith(APP_FOLDER) else folder
    fit = UNFIT.sub("-", inside.strip("/"))
    if fit != inside:  # another folder might have the same name now
        fit += "-" + hashlib.sha256(folder.encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{container_name(service)}-keep-{fit}"


def argv(service: str, kept: Sequence[str]) -> List[str]:
    """Return the arguments of `docker create` that mount the volumes, which Docker makes if needed."""
    words: List[str] = []
    for folder in kept:
        fields = ["type=volume", f"src={volume(service, folder)}", f"dst={folder}"]
        words += ["--mount", _comma_separated(fields)]
    return words


def settings(service: str, kept: Sequence[str]) -> Dict[str, str]:
    """Return the volumes as settings of a release, by name."""
    return {SETTING + folder: volume(service, folder) for folder in kept}


def differences(desired: Mapping[str, str], host_config: Mapping[str, Any]) -> List[str]:
    """Return a phrase for each folder that is not on its volume.

    Args:
        desired: the settings of the release by name; other settings are left out.
        host_config: what the engine reports of the container.

    """
    mounts = host_config.get("Mounts") or ()
    reported = {mount.get("Target"): mount.get("Source") for mount in mounts}
    wanted = {
        name[len(SETTING) :]: value for name, value in desired.items() if name.startswith(SETTING)
    }
    return [
        f"{folder} is not on its volume {name}"
        for folder, name in wanted.items()
        if reported.get(folder) != name
    ]


def make_volumes(docker: Docker, service: str, kept: Sequence[str], app: str) -> None:
    """Make the volumes that are missing, with the name of the app that is the first to use them."""
    for folder in kept:
        # One that is there stays as it is, with its label.
        label = ("--label", f"{LABEL_APP}={app}") if app else ()
        docker.check("volume", "create", *label, volume(service, folder))


def note(docker: Docker, service: str, kept: Sequence[str], app: str, before: str) -> List[str]:
    """Return what a person should know of volumes that another app has used, a line; [] for none.

    A volume belongs to the service and the folder's name: which folders are the same app's, under another name,
    only a person can tell.

    Args:
        docker: the engine of the host.
        service: name of the service.
        kept: the folders of the container that the app keeps.
        app: name of the app, or "" where it is not known.
        before: name of the app that was live before, or "" where none was, or it is not known.

    """
    if not kept or not app or before == app:
        return []
    folder_of = {volume(service, folder): folder for folder in kept}
    words = ("--format", "{{.Name}} {{json .Labels}}", *folder_of)
    found = []
    # Docker prints an empty line for a volume that is not there.
    for line in filter(None, docker.run("volume", "inspect", *words).out.splitlines()):
        name, _, labels = line.partition(" ")
        former = before or str((json.loads(labels) or {}).get(LABEL_APP, ""))
        if former not in ("", app):
            found.append(
                f"{folder_of[name]} still holds what the app {former} has kept: a folder's data belongs to the"
                f" service {service}, whichever app it is. Name another folder under `keep` in classvm.yml for an"
                " empty one."
            )
    return found


def volumes(docker: Docker) -> List[str]:
    """Return the names of the volumes of all services that are on this host."""
    listed = docker.check("volume", "ls", "--format", "{{.Name}}")
    return sorted(filter(VOLUME.match, listed.split()))


def _comma_separated(fields: Sequence[str]) -> str:
    """Return fields as `docker create --mount` reads them: as one line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()
