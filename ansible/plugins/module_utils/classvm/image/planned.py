"""Make the kit's build context of an app in any layout, from a plan."""

from __future__ import annotations

from pathlib import Path

from ..app import app_files, plan, reading
from ..app.layout import DOCKERFILE
from ..app.plan import OWN
from ..base.errors import ClassvmError
from ..contract import contract_document
from . import kit_context
from .source import Ports, Source


def planned(folder: Path, kit: Path, ports: Ports) -> Source:
    """Read and pack an app of any layout.

    Args:
        folder: the app's folder.
        kit: folder with the kit's files.
        ports: where the service will be reached.

    Raises:
        ClassvmError: it cannot be packed.

    """
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
