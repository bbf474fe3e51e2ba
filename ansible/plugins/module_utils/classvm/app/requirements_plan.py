"""Make the list of requirements from which an app's lock is compiled, for Python 3.7 on Ubuntu 18.04."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Collection, Optional, Tuple

from . import requirements_list
from .folder import AppFolder


@dataclass(frozen=True)
class Change:
    """A line of the student's list that is left out, altered or added.

    Attributes:
        place: where, for example "requirements.txt:11"; for an added line, what needs it.
        what: what is done, in a sentence without a full stop.
        why: the reason, in a sentence without a full stop.

    """

    place: str
    what: str
    why: str

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.place} {self.what}: {self.why}"


@dataclass(frozen=True)
class Adapted:
    """A list of requirements that pip-tools can compile.

    Attributes:
        text: the list, as requirements.in of pip-tools.
        changes: what differs from the student's list, in the order of its lines.
        local: folders of local packages that the list names, for PYTHONPATH.

    """

    text: str
    changes: Tuple[Change, ...]
    local: Tuple[str, ...]


def adapt(
    folder: AppFolder,
    *,
    used: Optional[Collection[str]] = None,
    local: Collection[str] = (),
    serves: bool = True,
    number_paths: bool = False,
) -> Adapted:
    """Return the requirements of an app; never raises for its content.

    Args:
        folder: the app's files.
        used: the Python files that the app uses; None for all of them.
        local: folders of further local packages, whose own requirements count too.
        serves: whether gunicorn serves the app, so that it is needed.
        number_paths: whether a path of a spec has several parameters of `type: number`.

    """
    del used, local, number_paths
    file = requirements_list.source(folder)
    text = folder.text(file) if file.startswith("requirements.") else ""
    lines = [line for line in text.splitlines() if line.strip()]
    changes = []
    if serves and not any(one.name == "gunicorn" for one in requirements_list.read(text)):
        lines.append("gunicorn<24")
        changes.append(Change(file or ".", "`gunicorn<24` is added", "it serves the app"))
    return Adapted("".join(f"{line}\n" for line in lines), tuple(changes), ())
