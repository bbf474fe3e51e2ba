from __future__ import annotations

import pytest
from classvm.app import packages
from classvm.app.python37 import LAST


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("pywin32", "exists for Windows only"),
        ("vs2015-runtime", "exists for Windows only"),
        ("appnope", "exists for macOS only"),
        ("mkl-fft", "is Anaconda's own"),
        ("pkg-resources", "is part of Ubuntu"),
        ("google-colab", "is part of Google Colab"),
        ("pip", "installs packages, and no service needs it"),
        ("flask", ""),
        ("ubuntu", ""),
    ],
)
def test_packages_of_other_systems(name: str, why: str) -> None:
    assert packages.foreign(name) == why


def test_no_well_known_package_is_foreign() -> None:
    known = {*packages.MODULES.values(), *packages.NEEDS, *packages.PLACEHOLDERS.values(), *LAST}
    assert {name for name in known if packages.foreign(name)} == {"pip"}


def test_all_names_in_the_tables_are_normal() -> None:
    needed = {one for names in packages.NEEDS.values() for one in names}
    names = {*packages.NEEDS, *needed, *packages.MODULES.values(), *packages.PLACEHOLDERS}
    assert {name for name in names if name != packages.normal(name)} == set()


def test_what_a_package_brings_along_is_followed() -> None:
    assert {"flask", "markupsafe", "zipp", "urllib3"} <= packages.brought(["connexion"])
    assert packages.brought(["unknown"]) == set()


def test_modules_of_a_package() -> None:
    assert packages.module_names("scikit-learn") >= {"sklearn"}
    assert packages.module_names("some-thing") == {"some_thing"}
