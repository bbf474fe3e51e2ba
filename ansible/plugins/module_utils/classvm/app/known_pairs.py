"""Old packages that do not work with today's helpers: the limits that they need."""

from __future__ import annotations

from typing import Dict, List, Mapping, NamedTuple, Tuple

from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.version import InvalidVersion, Version

# Name, the version from which on all is well, and what older ones need. A limit that is found makes
# the next lines hold, too, so what others build on comes last; of two limits the first one counts.
# A limit with a question mark is for those who have the package anyway.
PAIRS: Tuple[Tuple[str, str, Tuple[str, ...]], ...] = (
    ("connexion", "2.6", ("openapi-spec-validator<0.2.9", "werkzeug<1")),
    ("connexion", "2.8", ("openapi-spec-validator<0.3", "jsonschema<4")),
    ("connexion", "2.10", ("flask<2",)),
    ("flask", "2.2", ("?flask-sqlalchemy<3",)),
    ("flask-restplus", "1", ("flask<2", "werkzeug<1")),
    ("flask-login", "0.6", ("werkzeug<2.1",)),
    ("flask-jwt-extended", "4", ("pyjwt<2",)),
    ("flask-sqlalchemy", "3", ("sqlalchemy<2",)),
    ("marshmallow-sqlalchemy", "0.29", ("sqlalchemy<2",)),
    ("flask", "1", ("werkzeug<1",)),
    ("flask", "2", ("jinja2<3.1", "markupsafe<2.1", "itsdangerous<2.1", "werkzeug<2")),
    ("flask", "2.2", ("werkzeug<2.2",)),
    ("jinja2", "3", ("markupsafe<2.1",)),
    ("celery", "5.3", ("importlib-metadata<5",)),
    ("kombu", "5.3", ("importlib-metadata<5",)),
    ("tensorflow", "2.9", ("protobuf<3.21",)),
)


class Limit(NamedTuple):
    """What an old package needs.

    Attributes:
        package: the old package of the list that brings it about.
        helper: the package that is limited, by its normal name.
        version: its limit, for example "<3.1".

    """

    package: str
    helper: str
    version: str


def limits(wanted: Mapping[str, Requirement]) -> List[Limit]:
    """Return the limits that requirements, by their normal names, lack."""
    known = dict(wanted)
    cause: Dict[str, str] = {}
    found: List[Limit] = []
    for name, version, helpers in PAIRS:
        if name in known and is_below(known[name], version):
            for text in helpers:
                helper = Requirement(text.lstrip("?"))
                is_asked_for = helper.name in known or not text.startswith("?")
                if is_asked_for and not has_limit(known.get(helper.name)):
                    known[helper.name] = helper
                    cause[helper.name] = cause.get(name, name)
                    found.append(Limit(cause[helper.name], helper.name, str(helper.specifier)))
    return found


def has_limit(requirement: Requirement | None) -> bool:
    """Tell whether a requirement says up to which version it goes."""
    operators = {one.operator for one in requirement.specifier} if requirement else set()
    return bool(operators & {"==", "===", "<", "<=", "~="})


def is_below(requirement: Requirement, version: str) -> bool:
    """Tell whether a requirement allows only versions below another one."""
    limit = Version(version)
    return any(_ends_below(one, limit) for one in requirement.specifier)


def _ends_below(asked: Specifier, limit: Version) -> bool:
    try:
        version = Version(asked.version.replace(".*", ""))
    except InvalidVersion:
        return False
    if asked.operator == "~=" or asked.version.endswith(".*"):
        release = version.release[:-1] if asked.operator == "~=" else version.release
        return asked.operator in ("~=", "==") and Version(_after(release)) <= limit
    if asked.operator == "<":
        return version <= limit
    return asked.operator in ("==", "===", "<=") and version < limit


def _after(release: Tuple[int, ...]) -> str:
    """Return the first version behind all that begin with these numbers."""
    return ".".join(map(str, (*release[:-1], release[-1] + 1)))
