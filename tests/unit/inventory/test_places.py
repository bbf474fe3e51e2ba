from __future__ import annotations

from pathlib import Path

import pytest
from classvm.inventory import places


def test_a_path_is_as_short_as_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clone/a/b/c/d/e").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "clone")
    assert places.shown(str(tmp_path / "class/hosts.yml"), 3) == "../class/hosts.yml:3"
    assert places.shown(str(tmp_path / "clone/hosts.yml")) == "hosts.yml"
    monkeypatch.chdir(tmp_path / "clone/a/b/c/d/e")
    assert places.shown("/srv/hosts.yml") == "/srv/hosts.yml"
