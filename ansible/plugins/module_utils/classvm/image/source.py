"""What the control node makes of an app's folder: a build context, a contract, and what to say.

An app in classvm's own layout, with a sealed lock, is built by its own Dockerfile. Any other one is
built by the kit, from a plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Collection, List, Mapping, Optional, Sequence, Tuple

from ..app import app_files, formats, lock, openapi, pack, plan, reading, review
from ..app.codes import ERROR, NOTE
from ..app.findings import Finding
from ..app.layout import DOCKERFILE, SPEC
from ..app.plan import OWN
from ..base.errors import ClassvmError
from ..contract import contract_document
from . import kit_context

# More lines than these hide the one that matters; `make check` prints all.
MOST_WARNINGS = 8
# Findings that the notes of a plan tell already, with what was done about them.
TOLD = {
    "CV003", "CV028", "CV032", "CV033", "CV034", "CV035", "CV037", "CV039", "CV056", "CV061",
}  # fmt: skip
# The Dockerfile of a sealed app says how it starts.
NOT_OF_SEALED = {"CV027"}


@dataclass(frozen=True)
class Ports:
    """The host's port that leads to a service, and the container's port behind it."""

    host: int
    container: int


@dataclass(frozen=True)
class Source:
    """An app's folder, ready to be built.

    Attributes:
        is_sealed: whether it is in classvm's own layout.
        packed: the build context.
        contract: the contract document of `contract_document`, as JSON.
        contract_digest: digest (sha256, hex) of what the service promises.
        keep: absolute paths of the container's folders that survive releases.
        lock_source: digest of what decides the lock that the host compiles; "" where it compiles none.
        notes: lines for the person.
        places: where each package is named, by its normal name: "requirements.txt:3".
        app: what was read of it; None where nothing had to be read to pack it.

    """

    is_sealed: bool
    packed: pack.Packed
    contract: str
    contract_digest: str
    keep: Tuple[str, ...] = ()
    lock_source: str = ""
    notes: Tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    app: Optional[reading.App] = None


def read(folder: Path, kit: Path, ports: Ports) -> Source:
    """Read an app's folder and pack it.

    Args:
        folder: the app's folder.
        kit: folder with the kit's files.
        ports: where the service will be reached.

    Raises:
        ClassvmError: it is not there, or cannot be packed.

    """
    if not folder.is_dir():
        raise ClassvmError(
            f"{folder} is no folder", fix="APP or service_dir names the folder of an app."
        )
    return _sealed(folder) if lock.is_sealed(folder) else _planned(folder, kit, ports)


def require_no_errors(folder: Path, source: Source, valid: Collection[str] = ()) -> List[str]:
    """Return the warnings of an app as lines, and refuse an app with errors.

    Args:
        folder: the app's folder.
        source: what was made of it.
        valid: digests of contracts that were found valid before; validation takes a second.

    Raises:
        RefusedError: the app has errors.

    """
    skipped = NOT_OF_SEALED if source.is_sealed else set()
    found = review.findings_of(source.app or reading.read(folder))
    findings = [one for one in found if one.severity != NOTE and one.code not in skipped]
    errors = [one for one in findings if one.severity == ERROR]
    if errors:
        raise RefusedError(errors, findings)
    if source.is_sealed:
        openapi.check_contract(folder, valid)
    told = set() if source.is_sealed else TOLD
    lines = [formats.line(one) for one in findings if one.code not in told]
    more = len(lines) - MOST_WARNINGS
    return [*lines[:MOST_WARNINGS], *([f"{more} more warnings: make check"] if more > 0 else [])]


class RefusedError(ClassvmError):
    """An app has errors; the first line of the message names one of them and its place.

    Attributes:
        notes: all findings, as lines.

    """

    def __init__(self, errors: Sequence[Finding], findings: Sequence[Finding]) -> None:
        """Compose the message."""
        first, more = errors[0], len(errors) - 1
        fix = first.fix if first.fix.endswith("?") else f"{first.fix}."
        if more:
            fix += f" {more} more error{'' if more == 1 else 's'} above."
        super().__init__(first.what, place=first.place, fix=fix)
        self.notes = [formats.line(one) for one in findings]


def _sealed(folder: Path) -> Source:
    lock.check_lock(folder)
    text = (folder / SPEC).read_text("utf-8")
    specs = [contract_document.SpecText(SPEC, text)]
    return Source(
        is_sealed=True,
        packed=pack.pack(folder),
        contract=contract_document.write(contract_document.STRICT, specs),
        contract_digest=openapi.contract_digest(folder),
    )


def _planned(folder: Path, kit: Path, ports: Ports) -> Source:
    app = reading.read(folder)
    made = plan.make_plan(app, ports.host)
    files = app_files.app_files(app.folder)
    _require_entry(made, files)
    specs = [
        contract_document.SpecText(one.file, app.folder.text(one.file), one.base_path)
        for one in made.specs
    ]
    contract = contract_document.write(made.contract, specs)
    own = app.folder.text(DOCKERFILE) if made.dockerfile == OWN else ""
    port = (made.port if own else 0) or ports.container
    if own:
        packed = kit_context.of_own_dockerfile(made, files.files, own, port)
    else:
        packed = kit_context.of_kit(made, files.files, kit, port)
    return Source(
        is_sealed=False,
        packed=packed,
        contract=contract,
        contract_digest=kit_context.digest(contract),
        keep=kit_context.in_container(made.keep, kit_context.home(own)),
        lock_source="" if own else kit_context.lock_source(made, kit),
        notes=(*made.notes, *files.notes()),
        places=made.places,
        app=app,
    )


def _require_entry(made: plan.Plan, files: app_files.AppFiles) -> None:
    """Make sure that .dockerignore does not leave out the program."""
    if made.entry in files.ignored:
        raise ClassvmError(
            f"{made.entry}, the program that starts the app, is left out",
            place=app_files.IGNORE,
            fix=f"Add the line `!{made.entry}`.",
        )
