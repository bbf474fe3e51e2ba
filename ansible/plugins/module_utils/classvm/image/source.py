"""What the control node makes of an app's folder: a build context, a contract, and what to say.

An app in classvm's own layout, with a sealed lock, is built by its own Dockerfile. Any other one is
built by the kit, from a plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Collection, List, Mapping, Optional, Sequence, Tuple

from ..app import formats, lock, openapi, pack
from ..app.codes import ERROR, NOTE
from ..app.findings import Finding
from ..app.layout import SPEC
from ..base.errors import ClassvmError
from ..contract import contract_document

if TYPE_CHECKING:
    from ..app import reading

# To load what reads any app takes a quarter of a second. What needs it imports it, because
# the deploy of a sealed app without changes can do without.

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

    def located(self, message: str) -> str:
        """Return a message with the place where the first package that it names is named."""
        if not self.places:
            return message
        from ..app import requirements_plan  # noqa: PLC0415 - see above

        return requirements_plan.located(message, self.places)


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
    if lock.is_sealed(folder):
        return _sealed(folder)
    from .planned import planned  # noqa: PLC0415 - see above

    return planned(folder, kit, ports)


def require_no_errors(folder: Path, source: Source, valid: Collection[str] = ()) -> List[str]:
    """Return the warnings of an app as lines, and refuse an app with errors.

    Args:
        folder: the app's folder.
        source: what was made of it.
        valid: digests of contracts that were found valid before; validation takes a second.

    Raises:
        RefusedError: the app has errors.

    """
    from ..app import reading, review  # noqa: PLC0415 - see above

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
