"""Make the build context of a student's app: the kit's Dockerfile and files, and the app's files.

    Dockerfile          rendered from the kit's Dockerfile.j2
    kit/…               the kit's files
    requirements.in     the list from which the host compiles the lock
    app/…               the app's files

The host adds the lock, `requirements.txt`.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Sequence, Tuple

import jinja2

from ..app import dockerfile, pack
from ..app.layout import DOCKERFILE, REQUIREMENTS
from .image_labels import LABEL_PORT
from .service_image import HOME

if TYPE_CHECKING:
    from ..app.plan import Plan

TEMPLATE = "Dockerfile.j2"
LOCK_TOOLS = "lock-tools.txt"
# Of the base image that the host has, as a student's Dockerfile names it.
BASE = re.compile(
    r"(?i)^(\s*FROM\s+(?:--platform=\S+\s+)?)ubuntu:(18\.04|bionic)(\s|$)", re.MULTILINE
)


def of_kit(plan: Plan, files: Sequence[pack.File], kit: Path, container_port: int) -> pack.Packed:
    """Return the build context of an app that the kit builds.

    Args:
        plan: how the app is built.
        files: the app's files.
        kit: folder with the kit's files.
        container_port: the port of the container that Docker publishes.

    Raises:
        ClassvmError: one of the kit's files cannot be read.

    """
    every = [
        _text(DOCKERFILE, rendered(plan, (kit / TEMPLATE).read_text("utf-8"), container_port)),
        _text(REQUIREMENTS, plan.requirements),
        *(pack.read(kit, name, f"kit/{name}") for name in pack.names(kit) if name != TEMPLATE),
        *(pack.File(f"app/{one.name}", one.mode, one.content, one.kind) for one in files),
    ]
    return pack.packed(sorted(every, key=lambda file: file.name), plan.requirements)


def of_own_dockerfile(
    plan: Plan, files: Sequence[pack.File], text: str, container_port: int
) -> pack.Packed:
    """Return the build context of an app that its own Dockerfile builds.

    Args:
        plan: how the app is built.
        files: the app's files.
        text: the student's Dockerfile.
        container_port: the port on which it listens.

    """
    others = [one for one in files if one.name != DOCKERFILE]
    labelled = f'{text}\nLABEL {LABEL_PORT}="{container_port}"\n'
    built = on_base(labelled, in_container(plan.writable, home(text)))
    every = [_text(DOCKERFILE, built), *others]
    return pack.packed(sorted(every, key=lambda file: file.name), plan.requirements)


def rendered(plan: Plan, template: str, container_port: int) -> str:
    """Return the kit's Dockerfile for an app; its variables are explained in the template."""
    made = jinja2.Template(
        template, trim_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    text: str = made.render(
        apt=plan.apt,
        path=plan.path,
        writable=plan.writable,
        environment=plan.environment,
        entry=plan.words,
        own_server=plan.own_server,
        port=plan.port,
        container_port=container_port,
    )
    return text


def on_base(text: str, writable: Sequence[str]) -> str:
    """Return a student's Dockerfile on the host's base image, with volumes for what it writes.

    Args:
        text: the Dockerfile.
        writable: absolute paths of folders of the container.

    """
    replaced, count = BASE.subn(r"\1${BASE_IMAGE}\3", text)
    head = "ARG BASE_IMAGE=ubuntu:18.04\n" if count else ""
    # The first line may choose the syntax of the rest.
    first, end, rest = replaced.partition("\n")
    if first.startswith("#"):
        replaced, head = rest, f"{first}{end}{head}"
    volumes = "".join(f'\nVOLUME ["{one}"]\n' for one in writable)
    return head + replaced + volumes


def lock_source(plan: Plan, kit: Path) -> str:
    """Return the digest (sha256, hex) of what decides the lock, but for the base image."""
    tools = (kit / LOCK_TOOLS).read_text("utf-8")
    return digest(f"{plan.requirements}\n{tools}")


def home(own_dockerfile: str = "") -> str:
    """Return the folder of the container with the app, for a Dockerfile of its own or for the kit's."""
    return dockerfile.workdir(dockerfile.read(own_dockerfile)) if own_dockerfile else HOME


def in_container(folders: Sequence[str], home_folder: str) -> Tuple[str, ...]:
    """Return folders of the app as absolute paths of the container."""
    return tuple(posixpath.normpath(posixpath.join(home_folder, one)) for one in folders)


def digest(text: str) -> str:
    """Return the sha256 (hex) of a text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _text(name: str, text: str) -> pack.File:
    return pack.File(name, 0o644, text.encode())
