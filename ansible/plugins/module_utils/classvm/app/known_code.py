"""Names that newer versions of a package no longer have: the limits that code needs which uses them."""

from __future__ import annotations

import ast
from typing import Collection, Dict, List, NamedTuple, Tuple

from . import imports
from .folder import AppFolder

# By what is imported, "module" or "module.name", the versions that still have it.
IMPORTS: Dict[str, Tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "werkzeug.secure_filename", "werkzeug.generate_password_hash", "werkzeug.cached_property",
            "werkzeug.check_password_hash", "werkzeug.FileStorage", "werkzeug.run_simple",
            "werkzeug.contrib", "werkzeug.SharedDataMiddleware",
        ),
        ("werkzeug<1", "flask<2"),
    ),
    "flask.ext": ("flask<1", "werkzeug<1"),
    "jinja2.Markup": ("jinja2<3.1", "flask<2.2"),
    "jinja2.escape": ("jinja2<3.1", "flask<2.2"),
    "jinja2.contextfilter": ("jinja2<3.1", "flask<2.2"),
    "itsdangerous.json": ("itsdangerous<2.1", "flask<2.2"),
    "itsdangerous.TimedJSONWebSignatureSerializer": ("itsdangerous<2.1", "flask<2.2"),
    "itsdangerous.JSONWebSignatureSerializer": ("itsdangerous<2.1", "flask<2.2"),
    "sklearn.externals": ("scikit-learn<0.23",),
    "sklearn.cross_validation": ("scikit-learn<0.20",),
    "scipy.misc.imread": ("scipy<1.2",),
    "scipy.misc.imresize": ("scipy<1.3",),
}  # fmt: skip
# By an argument that a call gives.
ARGUMENTS: Dict[str, Tuple[str, ...]] = {"convert_unicode": ("sqlalchemy<2",)}


class Need(NamedTuple):
    """A limit that the code needs.

    Attributes:
        requirement: the limit, for example "werkzeug<1".
        place: where the code needs it, for example "server.py:2".
        name: what newer versions do not have.

    """

    requirement: str
    place: str
    name: str


def needs(folder: AppFolder, files: Collection[str]) -> List[Need]:
    """Return the limits that Python files need, each requirement once."""
    found: Dict[str, Need] = {}
    for file in sorted(files):
        for node in imports.needed(folder.tree(file)):
            for name in _names(node):
                for one in IMPORTS.get(name) or ARGUMENTS.get(name) or ():
                    found.setdefault(one, Need(one, f"{file}:{getattr(node, 'lineno', 1)}", name))
    return list(found.values())


def _names(node: ast.AST) -> List[str]:
    """Return what a node names: modules with the packages around them, names of these, arguments."""
    names: List[str] = []
    if isinstance(node, ast.Import):
        names = [one.name for one in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
    elif isinstance(node, ast.Call):
        return [word.arg for word in node.keywords if word.arg in ARGUMENTS]
    parts = [name.split(".") for name in names]
    return [".".join(one[:count]) for one in parts for count in range(1, len(one) + 1)]
