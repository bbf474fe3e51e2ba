"""Say in a sentence why pip or pip-compile failed, and what to do about it.

The words are those of pip 24.0, the last for Python 3.7.
"""

from __future__ import annotations

import re
from typing import Iterable, List, Optional, Tuple

# A version as numbers; what follows the numbers (rc1, .post1) does not count.
Numbers = Tuple[int, ...]

NO_CERTIFICATE = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed")
NO_NETWORK = re.compile(
    r"Retry\(total=0,.* after connection broken by '(NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError"
    r"|ProtocolError|ConnectionResetError|RemoteDisconnected)"
)
NO_VERSION = re.compile(
    r"Could not find a version that satisfies the requirement (\S+)(?: \(from ([^()]+)\))?"
    r" \(from versions: ([^)]*)\)"
)
# pip names what it ignored for all packages together, without their names.
FOR_NEWER_PYTHON = re.compile(r"(\d\S*) Requires-Python")
# With --quiet, pip-compile prints the exception only.
NOTHING_FITS = re.compile(r"No matching distribution found for (\S+)")
# Two requirements of one package, each with who wants it; nobody: the list itself.
CONFLICTING = re.compile(
    r"requirement=SpecifierRequirement\('([^';]+)[^']*'\), parent=(?:None|\w+\('\S*?/([^/\s']+)\s)"
)
FILE_OF_PACKAGE = re.compile(r"(.+?)-(\d[^-]*?)(?:-.*\.whl|\.tar\.gz|\.zip)")
HASHES = re.compile(r"THESE PACKAGES DO NOT MATCH THE HASHES")
HASH_OF = re.compile(r"^(\S+==\S+) from ")
NOT_BUILT = re.compile(r"Failed building wheel for (\S+)")
# Where pip unpacks source code: /tmp/pip-install-abc/NAME_0123456789abcdef…/setup.py
UNPACKED = re.compile(r"/pip-[\w-]+/([\w.-]+?)(?:_[0-9a-f]{32}|\.egg-info)\b")
SOURCE_FAILED = re.compile(r"did not run successfully|subprocess-exited-with-error")
WHY_NOT_BUILT = re.compile(r"(?i)\b(error: |\w+error: |not found|No such file or directory)")
# Packages of Ubuntu, and others, without which source code cannot be built, by what is missing.
MISSING = {
    "pg_config": "name `psycopg2-binary` instead",
    "mysql_config": "name `pymysql` instead, or add `apt: [default-libmysqlclient-dev]` to classvm.yml",
    "portaudio.h": "add `apt: [portaudio19-dev]` to classvm.yml",
}
REASON_CHARACTERS = 90


def explain(lines: Iterable[str]) -> str:
    """Return why pip failed and what to do about it, in one line; "" where it did not, or nobody knows.

    Args:
        lines: what the build printed, without the builder's own prefixes.

    """
    log = list(lines)
    text = "\n".join(log)
    if NO_CERTIFICATE.search(text):
        return (
            "the certificate of the package index is not trusted; PIP_CERT names the file of yours"
        )
    if NO_NETWORK.search(text):
        return "the package index does not answer. Check the network, then deploy again"
    return (
        _no_version(text)
        or _conflict(text)
        or _other_hashes(log)
        or _not_built(log)
        or _nothing(text)
    )


def _no_version(text: str) -> str:
    found = NO_VERSION.search(text)
    if not found:
        return ""
    asked, by, listed = found.groups()
    wanted = f"`{asked}`" + (f", which {by} needs," if by else "")
    versions = [one.strip() for one in listed.split(",") if one.strip() != "none"]
    last = _last(versions)
    name = re.split(r"[<>=!~\[;]", asked)[0]
    if not versions:
        return f"the package index has no `{name}` for Python 3.7. Is the name right?"
    better = (
        f"Write `{name}=={last}`, the last one for Python 3.7" if last else "Choose another one"
    )
    if _needs_newer(asked, FOR_NEWER_PYTHON.findall(text), last):
        return f"{wanted} needs a newer Python than 3.7. {better}"
    return f"there is no version {wanted}. {better}"


def _last(versions: List[str]) -> str:
    """Return the last version that is no trial."""
    return next((one for one in reversed(versions) if re.fullmatch(r"[\d.]+(\.post\d+)?", one)), "")


def _needs_newer(asked: str, ignored: List[str], last: str) -> bool:
    """Tell whether a version that is asked for is among those for a newer Python."""
    operator = re.search(r"(==|>=|~=|>)\s*([\d.]+)", asked)
    if not operator:
        return False
    wanted = _numbers(operator[2])
    if operator[1] == "==":
        return wanted in map(_numbers, ignored)
    return wanted >= _numbers(last) and any(_numbers(one) >= wanted for one in ignored)


def _numbers(version: str) -> Numbers:
    found = re.match(r"\d+(\.\d+)*", version)
    parts = [int(part) for part in found[0].split(".")] if found else []
    while parts and not parts[-1]:  # 2 is 2.0
        parts.pop()
    return tuple(parts)


def _conflict(text: str) -> str:
    line = next((one for one in text.splitlines() if "ResolutionImpossible: [" in one), "")
    wishes = [(asked, _of_file(file)) for asked, file in CONFLICTING.findall(line)]
    if len(wishes) < 2:  # noqa: PLR2004 - it takes two
        return ""
    wishes.sort(key=lambda wish: bool(wish[1]))  # what the list itself says comes first
    (first, by), (second, other) = wishes[0], wishes[1]
    says = f"{by} needs `{first}`" if by else f"`{first}` is in the list"
    fix = "Take the version off one of the two" if by else "Take its version off"
    return f"{says}, but {other or 'the list'} needs `{second}`. {fix}: the lock then chooses one that fits"


def _of_file(name: Optional[str]) -> str:
    """Return "Flask 2.2.5" for the name of its file."""
    found = FILE_OF_PACKAGE.fullmatch(name or "")
    return f"{found[1]} {found[2]}" if found else ""


def _other_hashes(log: List[str]) -> str:
    if not any(HASHES.search(line) for line in log):
        return ""
    of = next((found[1] for found in map(HASH_OF.match, log) if found), "a package")
    return f"the files of `{of}` are not those of the lock: their hashes differ. Deploy again; if it stays so, ask your admin"


def _not_built(log: List[str]) -> str:
    if not any(SOURCE_FAILED.search(line) or NOT_BUILT.search(line) for line in log):
        return ""
    names = [
        found[1] for pattern in (NOT_BUILT, UNPACKED) for found in map(pattern.search, log) if found
    ]
    output = log[: next((at for at, line in enumerate(log) if "[end of output]" in line), len(log))]
    # The last line but the frame that is printed for each failure.
    reasons = [
        line for line in output if WHY_NOT_BUILT.search(line) and not SOURCE_FAILED.search(line)
    ]
    reason = (
        re.sub(r"(?i)^error: ", "", reasons[-1])[:REASON_CHARACTERS].rstrip(". ") if reasons else ""
    )
    fix = next(
        (fix for word, fix in MISSING.items() if any(word in line for line in output)),
        "choose a version that has a wheel for Python 3.7",
    )
    name = f"`{names[0]}`" if names else "a package"
    return f"{name} cannot be built from its source code{f': {reason}' if reason else ''}. To do: {fix}"


def _nothing(text: str) -> str:
    found = NOTHING_FITS.search(text)
    return f"there is no `{found[1]}` for Python 3.7. Choose another version" if found else ""
