"""Find settings that are not known, or have values that cannot be used: all of them, at once."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Iterable, List, Mapping, Optional

from ..base import names
from ..base.errors import ClassvmError
from ..base.ssh import SSH_PORT
from .limits import LIMITS

# From this likeness on, an unknown name is a slip of the pen; below it, somebody else's variable. More
# is asked of a name that does not even begin like one of ours: nearly the same number of letters, too.
SLIP, FOREIGN_SLIP, FOREIGN_LETTERS = 0.8, 0.88, 2
# The variables of Ansible have long beginnings in common.
CONNECTION_SLIP = 0.92
# Ansible's own variables, of which there are many, and the internal ones of roles.
INTERNAL = ("ansible_", "_")
HIGHEST_PORT = 65535
SERVICE_PORT = "service_host_port"
# Of a place, what stands behind the file.
FILE_LINE = re.compile(r":\d+$")
# Of an image: a path in small letters, and a tag.
IMAGE = re.compile(r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9][a-z0-9._/-]*(?::\w[\w.-]*)?")
BOOLEANS = ("true", "false", "yes", "no", "on", "off", "1", "0")

Options = Mapping[str, Mapping[str, Any]]


def problems(given: Mapping[str, Any], options: Options, prefixes: Collection[str]) -> List[str]:
    """Return what is wrong with the settings, a sentence each.

    Args:
        given: variables by name, as the user wrote them; a value with an expression is derived from others,
            which are looked at themselves.
        options: those of all roles by name, as in their argument_specs.
        prefixes: what the names of our variables begin with.

    """
    own = {
        name: value
        for name, value in given.items()
        if name in options or name.startswith(tuple(prefixes))
    }
    foreign = [name for name in given.keys() - own.keys() if not name.startswith(INTERNAL)]
    found = [slip(name, options) for name in sorted(own.keys() - options.keys())]
    for name in sorted(foreign):
        as_long = [one for one in options if abs(len(one) - len(name)) <= FOREIGN_LETTERS]
        found.append(slip(name, as_long, FOREIGN_SLIP))
    found += [
        wrong(name, own[name], options[name])
        for name in sorted(own.keys() & options.keys())
        if "{{" not in str(own[name])
    ]
    found.append(_taken_from_ssh(given))
    return [problem for problem in found if problem]


def slips_of_connection(given: Iterable[str], known: Collection[str]) -> List[str]:
    """Return which variables of Ansible the names were meant to be that are none, a sentence each.

    Args:
        given: names of variables in the files of an inventory.
        known: those by which Ansible reaches a host.

    """
    own = [name for name in given if name.startswith(INTERNAL[0]) and name not in known]
    return [told for name in sorted(own) for told in [slip(name, known, CONNECTION_SLIP)] if told]


def _taken_from_ssh(given: Mapping[str, Any]) -> str:
    """Return why the service's port cannot be that of SSH: nobody could log in to correct it."""
    port, ssh = (_number(given.get(name, SSH_PORT)) for name in (SERVICE_PORT, "ansible_port"))
    if SERVICE_PORT not in given or port is None or port != ssh:
        return ""
    return f"{SERVICE_PORT} is {port}, which is the port of SSH there: take another one"


def without_folder(name: str, folder: str) -> List[str]:
    """Return why a setting does not name a folder of this machine, nothing where it does."""
    path = Path(folder).absolute()
    if path.is_dir():
        return []
    told = "this is no folder" if path.exists() else "there is no such folder on this machine"
    full = (
        f"{name} is {folder!r}, which means {path}"
        if str(path) != folder
        else f"{name} is {folder}"
    )
    return [f"{full}, and {told}"]


def message(found: List[str], place: Callable[[str], str] = lambda _: "") -> ClassvmError:
    """Return the error that names all problems: the only one in its line, several below it.

    Args:
        found: the problems, each of which begins with the name of its setting.
        place: returns where a setting is given, as FILE:LINE, "" where that is not known.

    """
    places = {problem: place(problem.partition(" ")[0]) for problem in found}
    if len(found) == 1:
        return ClassvmError(found[0], place=places[found[0]])
    named = ", ".join(problem.partition(" ")[0] for problem in found)
    files = dict.fromkeys(FILE_LINE.sub("", at) for at in places.values() if at)
    lines = [ClassvmError(problem, place=at).line for problem, at in places.items()]
    return ClassvmError(
        f"Correct these settings: {named}", place=", ".join(files), details="\n".join(lines)
    )


def slip(name: str, known: Iterable[str], likeness: float = SLIP) -> str:
    """Return which setting a name was meant to be; "" where it is like none."""
    like = difflib.get_close_matches(name, list(known), n=1, cutoff=likeness)
    return f"{name} is not known: did you mean {like[0]}?" if like else ""


def wrong(name: str, value: Any, option: Mapping[str, Any]) -> str:  # noqa: ANN401 - of any type
    """Return why a value cannot be used, "" where it can."""
    check = TYPES.get(str(option.get("type", "str")), _of_text)
    takes = check(value) or _of_choices(value, option) or _of_meaning(name, value)
    return f"{name} is {value!r}, and takes {takes}" if takes else ""


# --- Types: what a value has to be, "" where it is -----------------------------------------------


def _of_number(value: Any) -> str:  # noqa: ANN401 - of any type
    return "" if _number(value) is not None else "a number"


def _of_truth(value: Any) -> str:  # noqa: ANN401 - of any type
    return "" if str(value).lower() in BOOLEANS else "true or false"


def _of_list(value: Any) -> str:  # noqa: ANN401 - of any type
    return "" if isinstance(value, (list, tuple)) else f"a list, such as [{value}]"


def _of_mapping(value: Any) -> str:  # noqa: ANN401 - of any type
    return "" if isinstance(value, Mapping) else "names with values, such as {NAME: value}"


def _of_text(value: Any) -> str:  # noqa: ANN401 - of any type
    return "a text" if isinstance(value, (list, tuple, Mapping)) else ""


TYPES: Dict[str, Callable[[Any], str]] = {
    "int": _of_number,
    "bool": _of_truth,
    "list": _of_list,
    "dict": _of_mapping,
}


def _number(value: Any) -> Optional[int]:  # noqa: ANN401 - of any type
    try:
        return None if isinstance(value, bool) else int(str(value))
    except ValueError:
        return None


# --- Choices and meanings ------------------------------------------------------------------------


def _of_choices(value: Any, option: Mapping[str, Any]) -> str:  # noqa: ANN401 - of any type
    choices = [str(choice) for choice in option.get("choices") or ()]
    if not choices:
        return ""
    values = value if isinstance(value, (list, tuple)) else [value]
    return "" if all(str(one) in choices for one in values) else " or ".join(choices)


def _of_meaning(name: str, value: Any) -> str:  # noqa: ANN401 - of any type
    """Return what a value of the right type has to be, by what its name says."""
    if name.endswith("_port") or name in ("host_open_tcp", "firewall_open_tcp"):
        ports = [_number(one) for one in (value if isinstance(value, (list, tuple)) else [value])]
        is_right = all(port is not None and 1 <= port <= HIGHEST_PORT for port in ports)
        return "" if is_right else f"ports, which are numbers from 1 to {HIGHEST_PORT}"
    if name in MEANINGS:
        return MEANINGS[name](str(value))
    if name.endswith(("_seconds", "_timeout")) and (_number(value) or 0) < 0:
        return "a number of seconds, which is not below 0"
    return ""


def _of_amount(value: str) -> str:
    return "" if (_number(value) or 0) >= 0 else "a number that is not below 0"


def _of_name(value: str) -> str:
    try:
        names.require_service_name(value)
    except ClassvmError:
        return "lower-case letters, digits and single hyphens between them, 40 at most"
    return ""


def _of_image(value: str) -> str:
    return "" if IMAGE.fullmatch(value) else "a name in small letters, such as class/base:2"


MEANINGS: Dict[str, Callable[[str], str]] = {
    "service_name": _of_name,
    "service_keep_releases": _of_amount,
    "base_image_name": _of_image,
    **{f"service_{name}": limit.takes for name, limit in LIMITS.items()},
}
