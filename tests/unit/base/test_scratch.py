from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from classvm.base import scratch
from classvm.base.errors import ClassvmError


def test_everybody_may_enter_the_folder_and_it_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "place", lambda: str(tmp_path))
    with scratch.folder("x-") as path:
        assert Path(path).parent == tmp_path
        assert Path(path).stat().st_mode & 0o777 == 0o755
        (Path(path) / "file").touch()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "chosen"), [((), 0), ((os.ST_NOEXEC,), 1), ((os.ST_NODEV, os.ST_NOEXEC), 2)]
)
def test_the_place_allows_programs(
    flags: tuple[int, ...], chosen: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [str(tmp_path), *scratch.MORE_PLACES]
    mounted = dict(zip(places, flags, strict=False))
    monkeypatch.setattr("tempfile.gettempdir", lambda: places[0])
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=mounted.get(path, 0)))
    assert scratch.place() == places[chosen]
    mounted.update(dict.fromkeys(places, os.ST_NOEXEC))
    with pytest.raises(ClassvmError, match=f"{', '.join(places)} are mounted with noexec"):
        scratch.place()
