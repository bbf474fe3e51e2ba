from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.image import pip_settings

if TYPE_CHECKING:
    from pathlib import Path


def conf(listed: str) -> str:
    return pip_settings.from_listing(listed, {}).conf


def test_nothing_set_is_nothing_handed_over() -> None:
    assert pip_settings.from_listing("", {}) == pip_settings.PipSettings("", "")


def test_settings_are_handed_over_in_a_fixed_order() -> None:
    listed = (
        "global.timeout='60'\n"
        "global.index-url='https://pip.example.org/simple'\n"
        "global.trusted-host='a.example.org b.example.org'\n"
        "install.proxy='http://proxy:3128'\n"
        "global.extra-index-url='https://more.example.org/simple'\n"
        "global.find-links='https://links.example.org'\n"
    )
    assert conf(listed) == (
        "[global]\n"
        "index-url = https://pip.example.org/simple\n"
        "extra-index-url = https://more.example.org/simple\n"
        "find-links = https://links.example.org\n"
        "trusted-host = a.example.org b.example.org\n"
        "proxy = http://proxy:3128\n"
        "timeout = 60\n"
    )


@pytest.mark.parametrize("variable_first", [True, False])
def test_the_environment_wins_over_the_file(variable_first: bool) -> None:
    lines = [":env:.index-url='https://variable/simple'", "global.index-url='https://file/simple'"]
    listed = "\n".join(lines if variable_first else lines[::-1])
    assert conf(listed) == "[global]\nindex-url = https://variable/simple\n"
    assert conf(lines[1]) == "[global]\nindex-url = https://file/simple\n"


def test_local_paths_are_dropped() -> None:
    listed = (
        "global.index-url='file:///srv/wheels/simple'\n"
        "global.extra-index-url='/opt/more\\nhttps://more.example.org/simple'\n"
        "global.find-links='~/wheels'\n"
        "global.timeout='9'\n"
    )
    assert (
        conf(listed) == "[global]\nextra-index-url = https://more.example.org/simple\ntimeout = 9\n"
    )


def test_other_settings_stay_here() -> None:
    assert conf("global.cache-dir='/var/cache/pip'\nuser.name='x'\nno separator") == ""


@pytest.fixture
def certificates(tmp_path: Path) -> dict[str, str]:
    """Return the path of a file of certificates by its content."""
    paths = {}
    for name in ("cert", "requests", "curl"):
        (tmp_path / name).write_text(name)
        paths[name] = str(tmp_path / name)
    return paths


def test_the_certificates_that_pip_would_take(certificates: dict[str, str]) -> None:
    listed = f"global.cert={certificates['cert']!r}"
    everything = {
        "REQUESTS_CA_BUNDLE": certificates["requests"],
        "CURL_CA_BUNDLE": certificates["curl"],
    }
    curl = {"CURL_CA_BUNDLE": certificates["curl"]}
    assert pip_settings.from_listing(listed, everything).ca == "cert"
    assert pip_settings.from_listing("", everything).ca == "requests"
    assert pip_settings.from_listing("", curl).ca == "curl"
    assert pip_settings.from_listing("", {}).ca == ""
    # The path of the control node stays here.
    assert pip_settings.from_listing(listed, everything).conf == ""


def test_the_variable_wins_for_certificates_too(certificates: dict[str, str]) -> None:
    listed = f":env:.cert={certificates['curl']!r}\nglobal.cert={certificates['cert']!r}"
    assert pip_settings.from_listing(listed, {}).ca == "curl"


def test_certificates_that_are_not_there_are_passed_over(certificates: dict[str, str]) -> None:
    environment = {"REQUESTS_CA_BUNDLE": "/absent", "CURL_CA_BUNDLE": certificates["curl"]}
    assert pip_settings.from_listing("global.cert='/absent'", environment).ca == "curl"


def test_what_pip_itself_prints_is_understood(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://file/simple\n"
        "extra-index-url =\n    https://one/simple\n    https://two/simple\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_PROXY", "PIP_TRUSTED_HOST", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_TIMEOUT", "7")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://three/simple")
    settings = pip_settings.read()
    assert "index-url = https://file/simple\n" in settings.conf
    assert "extra-index-url = https://three/simple\n" in settings.conf
    assert settings.conf.endswith("timeout = 7\n")
