from __future__ import annotations

import pytest
from classvm.app import python37
from classvm.app.packages import normal
from packaging.requirements import Requirement


@pytest.mark.parametrize(
    ("asked", "last"),
    [
        ("flask==3.0.0", "2.2.5"),
        ("Flask>=2.3", "2.2.5"),
        ("flask~=2.3.1", "2.2.5"),
        ("flask==2.3.*", "2.2.5"),
        ("flask>2.2.5", "2.2.5"),
        ("torch==1.13.1+cpu", ""),
        ("flask==2.2.5", ""),
        ("flask>2.2.4", ""),
        ("flask<3", ""),
        ("flask", ""),
        ("flask===odd", ""),
        ("unknown==99", ""),
        ("numpy==1.26.0 ; python_version >= '3.8'", ""),
        ("numpy==1.26.0 ; sys_platform == 'linux'", "1.21.6"),
    ],
)
def test_a_version_for_a_newer_python_is_noticed(asked: str, last: str) -> None:
    requirement = Requirement(asked)
    assert python37.last_version(normal(requirement.name), requirement) == last


def test_the_tables_hold_normal_names_and_real_versions() -> None:
    for name, version in python37.LAST.items():
        assert name == normal(name)
        assert not python37.last_version(name, Requirement(f"{name}=={version}"))
    for name, limit in python37.LIMITS.items():
        assert Requirement(f"{name}{limit}").specifier.contains(python37.LAST[name])


def test_the_standard_library_is_that_of_3_7() -> None:
    assert {"csv", "asyncio", "distutils"} <= python37.STANDARD_LIBRARY
    assert not {"tomllib", "zoneinfo", "graphlib", "yaml"} & python37.STANDARD_LIBRARY
