"""The locks: complete, with hashes, at one version, and silent about where packages come from."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import tree
from classvm.app import lock
from classvm.base.errors import ClassvmError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

# The unit tests of the service run on the control node, with the service's own versions of these.
SHARED = ("connexion", "flask", "gunicorn", "werkzeug")
CHECKER = "roles/service_image/files/checker"
LOCKS = (
    "requirements.txt",
    "service/requirements.txt",
    "service/lock-tools.txt",
    f"{CHECKER}/requirements.txt",
)
ORIGIN = r"^\s*(?:--(?:extra-)?index-url|-i\b|--find-links|-f\b|--trusted-host)|://"


@dataclass(frozen=True)
class Pin:
    """One package of a lock: its exact version and the sha256 of each of its files."""

    version: str
    hashes: frozenset[str]


def pins(lock: str) -> dict[str, Pin]:
    """Return the packages of a lock by their normal name."""
    found: dict[str, Pin] = {}
    for line in re.sub(r"\\\n", " ", lock).splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", line)
        if match:
            hashes = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
            found[canonicalize_name(match[1])] = Pin(match[2], hashes)
    return found


def requirements(text: str) -> list[Requirement]:
    """Return the requirements of a requirements.in."""
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def unsatisfied(wanted: str, lock: str) -> list[str]:
    """Return the requirements that a lock does not meet, and its pins without a hash."""
    pinned = pins(lock)
    found = [f"{name} has no hash" for name, pin in pinned.items() if not pin.hashes]
    for required in requirements(wanted):
        pin = pinned.get(canonicalize_name(required.name))
        if pin is None:
            found.append(f"{required} is not locked")
        elif not required.specifier.contains(pin.version, prereleases=True):
            found.append(f"{required} is locked at {pin.version}")
    return found


def read(name: str) -> str:
    """Return the text of one of our files."""
    return (tree.ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_meets_every_requirement_with_hashes(lock: str) -> None:
    assert unsatisfied(read(lock.replace(".txt", ".in")), read(lock)) == []
    assert pins(read(lock))


HASH = f"--hash=sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("wanted", "lock", "flaw"),
    [
        ("a", f"b==1 \\\n    {HASH}\n", "a is not locked"),
        ("a>=2  # why", f"a==1 \\\n    {HASH}\n", "a>=2 is locked at 1"),
        ("A_b[x]==1", "a-b==1\n", "a-b has no hash"),
        ("# a", "a==1 \\\n    --hash=md5:0\n", "a has no hash"),
    ],
)
def test_a_flaw_of_a_lock_is_found(wanted: str, lock: str, flaw: str) -> None:
    assert unsatisfied(wanted, lock) == [flaw]


def test_a_good_lock_passes() -> None:
    assert unsatisfied("a[x]>=1", f"a[x]==1.5 \\\n    {HASH}\n    # via b==9\n") == []


@pytest.mark.parametrize("name", SHARED)
def test_both_locks_hold_the_same_version(name: str) -> None:
    here, service = (pins(read(lock))[name].version for lock in LOCKS[:2])
    assert here == service


@pytest.mark.parametrize("folder", ["service", CHECKER])
def test_a_lock_for_an_image_is_sealed(folder: str) -> None:
    lock.check_lock(tree.ROOT / folder)


@pytest.mark.parametrize("name", ["requirements.in", "requirements.txt"])
def test_a_lock_edited_by_hand_is_refused(name: str, tmp_path: Path) -> None:
    for file in ("requirements.in", "requirements.txt"):
        text = read(f"service/{file}")
        (tmp_path / file).write_text(text + "# edited\n" * (file == name), encoding="utf-8")
    with pytest.raises(ClassvmError, match="make lock"):
        lock.check_lock(tmp_path)


def origins(lock: str) -> list[str]:
    """Return the lines of a lock that tell where packages are fetched."""
    return [line for _, line in tree.hits(ORIGIN, lock)]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_does_not_tell_where_packages_come_from(lock: str) -> None:
    assert origins(read(lock)) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/simple",
        "--extra-index-url=x",
        "-i x",
        "--find-links /wheels",
        "-f x",
        "--trusted-host example.org",
        "a @ https://example.org/a.whl",
    ],
)
def test_an_origin_is_found(line: str) -> None:
    assert origins(f"a==1\n{line}\n    # via -r requirements.in\n") == [line]


def wheels(folder: Path) -> list[Path]:
    """Return the wheels of a folder."""
    return sorted(folder.glob("*.whl"))


def unproven(wheel: Path, lock: str) -> str:
    """Return why a wheel is not the one that a lock pins, or ""."""
    name, version, *_ = parse_wheel_filename(wheel.name)
    pin = pins(lock).get(name)
    if pin is None or pin.version != str(version):
        return f"{wheel.name}: the lock pins {pin.version if pin else 'none'}"
    if hashlib.sha256(wheel.read_bytes()).hexdigest() not in pin.hashes:
        return f"{wheel.name} is not the file that was locked"
    return ""


def test_the_bootstrap_wheel_is_the_locked_one() -> None:
    found = wheels(tree.ROOT / "service/bootstrap")
    assert [unproven(wheel, read("service/lock-tools.txt")) for wheel in found] == [""]
    assert [path.parent.name for path in found] == ["bootstrap"]


def test_the_dockerfile_names_the_bootstrap_wheel() -> None:
    named = re.findall(r"/bootstrap/([\w.-]+\.whl)", tree.code(tree.ROOT / "service/Dockerfile"))
    assert set(named) == {wheel.name for wheel in wheels(tree.ROOT / "service/bootstrap")}


def test_another_wheel_is_found(tmp_path: Path) -> None:
    wheel = tmp_path / "pip-1.0-py3-none-any.whl"
    wheel.write_bytes(b"x")
    assert "is not the file" in unproven(wheel, f"pip==1.0 \\\n    {HASH}\n")
    assert "pins 2.0" in unproven(wheel, f"pip==2.0 \\\n    {HASH}\n")
    assert "pins none" in unproven(wheel, "")
    digest = hashlib.sha256(b"x").hexdigest()
    assert unproven(wheel, f"pip==1.0 \\\n    --hash=sha256:{digest}\n") == ""
