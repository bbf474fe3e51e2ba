"""A release that comes from a student: its app is built here, within bounds, and runs as the admin has recorded.

Of what is sent, only the app itself counts: its files, its contract, and which folders it keeps. The host
computes the release id from the files, and takes everything else from the record of its last provision.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import signal
from typing import Any, BinaryIO, Dict, Iterator, Mapping, Sequence, Tuple

from ..app import pack
from ..app.layout import DOCKERFILE, LOCK, REQUIREMENTS
from ..base import client, host, locks, progress, state
from ..base.errors import ClassvmError
from ..image import checked_dockerfile, checker_image, confinement, lock_store, received
from ..image.received import NotTakenError
from ..image.service_image import Recipe, find
from ..release import building, history
from ..release.prune import prune
from . import releasing
from .host import Host
from .protocol import REQUEST, RefusedError
from .student_record import Record

LOCK_FILE = "lock-build"
NOTE = "building-"
ARRIVAL_SECONDS = 300
# In the kit's build context, the app itself.
APP_FOLDER = "app/"
# The stored locks of students have ids of their own: no lock of an admin's is theirs.
OF_STUDENTS = "students"


def release(here: Host, request: Dict[str, Any], stream: BinaryIO) -> Dict[str, Any]:
    """Build what a student has sent, and make it live once it has proven itself.

    Args:
        here: the host.
        request: what was asked; it is valid, and bounded.
        stream: the app, as the tar of a build context.

    Raises:
        RefusedError: what was sent is not taken.
        ClassvmError: it could not be built, or did not go live.

    """
    client.end_orderly()
    record = Record.read(here.state_dir)
    settings = record.settings_for(request)
    if not _is_contract(request["contract"]):
        raise RefusedError(REQUEST, "A release comes with its contract", fix="Run `make deploy`.")
    confinement.require_able(here.docker)
    checker = _checker(here)
    with locks.held(here.state_dir, LOCK_FILE):
        _remove_left(here, here.service(request), record.keep_releases)
        recipe, context = _read(here, record, request, _arrived(stream))
        if not find(here.docker, recipe) and not request.get("check"):
            _build(here, record, request, recipe, context)
        asked = {
            **_handed_on(request),
            "release": recipe.release,
            "content": recipe.content,
            "settings": settings,
            "keep_releases": record.keep_releases,
            "checker_image": checker,
        }
        try:
            done = releasing.release(here, asked)
        except BaseException:
            _remove_refused(here, recipe.service, recipe.image, record.keep_releases)
            raise
        _forget(here, recipe.service)
        return {**done, "bounds": record.told()}


def _remove_refused(here: Host, service: str, image: str, keep: int) -> None:
    """Remove the images that were refused, and one that came to nothing: one after the other would fill the disk."""
    entries = history.read(here.state_dir, service)
    live = next((one.image for one in reversed(entries) if one.went_live), "")
    # Where the attempt ended before it had a line of its own.
    attempt = history.Entry(service=service, image=image, result=history.REFUSED)
    prune(here.docker, [*entries, attempt], service, live, keep)
    _forget(here, service)


def _remove_left(here: Host, service: str, keep: int) -> None:
    """Remove the image that a killed run has left: the history may not know of it."""
    image = state.read(_note(here, service)).strip()
    if image:
        _remove_refused(here, service, image, keep)


def _forget(here: Host, service: str) -> None:
    state.remove(_note(here, service))


def _note(here: Host, service: str) -> str:
    """Return the file that names the image which is built, until its release has come to its end."""
    return os.path.join(here.state_dir, f"{NOTE}{service}")


def _is_contract(text: str) -> bool:
    """Tell whether a text is a contract document, as far as this host reads it: the check reads the rest."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and isinstance(found.get("specs"), list)


def _handed_on(request: Mapping[str, Any]) -> Dict[str, Any]:
    names = ("protocol", "service", "check", "diff", "contract", "revision")
    return {name: request[name] for name in names if name in request}


def _checker(here: Host) -> str:
    """Return the name of the image for the contract check, which is the host's own.

    Raises:
        ClassvmError: this host has none.

    """
    name = checker_image.present(here.docker)
    if not name:
        raise ClassvmError(
            "The image for the contract check is not on this host",
            fix="Ask your admin to run `make provision`.",
        )
    return name


def _arrived(stream: BinaryIO) -> Sequence[pack.File]:
    """Return the files of the app.

    Raises:
        RefusedError: they are not taken, or do not arrive.

    """
    progress.say("receiving the app")
    with _taken(), _within(ARRIVAL_SECONDS):
        return received.read(stream)


@contextlib.contextmanager
def _taken() -> Iterator[None]:
    """Tell what is not taken as a request that is refused."""
    try:
        yield
    except NotTakenError as error:
        raise RefusedError(REQUEST, error.cause, place=error.place, fix=error.fix) from error


@contextlib.contextmanager
def _within(seconds: int) -> Iterator[None]:
    def late(*_: object) -> None:
        raise NotTakenError(
            f"The app did not arrive within {seconds} s", fix="Run `make deploy` again."
        )

    former = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


def _read(
    here: Host, record: Record, request: Mapping[str, Any], files: Sequence[pack.File]
) -> Tuple[Recipe, bytes]:
    """Return what is to be built, and its build context as a tar of our own.

    Raises:
        RefusedError: its Dockerfile asks for too much.
        ClassvmError: the base image is missing.

    """
    base = here.docker.image(record.base_image)
    if base is None:
        raise ClassvmError(
            f"{record.base_image} is missing", fix="Ask your admin to run `make provision`."
        )
    by_name = {one.name: one for one in files}
    is_kit = request.get("kit", False)
    listed = by_name.get(REQUIREMENTS if is_kit else LOCK)
    with _taken():
        if is_kit and LOCK in by_name:
            raise received.refused("this host makes its lock", LOCK)
        requirements = listed.content.decode(errors="replace") if listed else ""
        packed = pack.packed(files, requirements)
        safe = [_checked(one) if one.name == DOCKERFILE else one for one in files]
        if DOCKERFILE not in by_name:
            raise received.refused("it has no Dockerfile")
    recipe = Recipe(
        service=here.service(dict(request)),
        base=record.base_image,
        base_digest=base.content,
        source_digest=packed.digest,
        content=packed.content,
        keep=tuple(request.get("keep", ())),
        app=request.get("app", ""),
        lock=_lock_id(base.content, files) if is_kit else "",
    )
    return recipe, dataclasses.replace(packed, files=tuple(safe)).archive


def _checked(file: pack.File) -> pack.File:
    """Return a Dockerfile that was checked, written anew."""
    try:
        text = file.content.decode("utf-8")
    except UnicodeDecodeError:
        raise received.refused(
            "its Dockerfile is not UTF-8", file.name, "Save it as UTF-8."
        ) from None
    return pack.File(file.name, file.mode, checked_dockerfile.written_anew(text).encode())


def _lock_id(base_digest: str, files: Sequence[pack.File]) -> str:
    """Return the id of the lock: of everything that decides it, which is all but the app itself."""
    deciding = [one for one in files if not one.name.startswith(APP_FOLDER)]
    source = pack.packed(deciding, "").digest
    return lock_store.lock_id(
        base_digest, hashlib.sha256(f"{OF_STUDENTS} {source}".encode()).hexdigest()
    )


def _build(
    here: Host, record: Record, request: Mapping[str, Any], recipe: Recipe, context: bytes
) -> None:
    folder = here.docker.data_root()
    host.require_space(folder, building.SPACE_MEGABYTES)
    state.write_atomically(_note(here, recipe.service), recipe.image)
    secrets: Dict[str, str] = request.get("secrets", {})
    with building.recorded(here.state_dir, recipe, request.get("revision", "")):
        try:
            with confinement.confined(record.bounds, folder) as within:
                building.build(here.docker, recipe, context, secrets, here.state_dir, within)
        except confinement.TooLargeError:
            # What its steps have left in the builder's cache.
            here.docker.run("builder", "prune", "--force")
            raise
