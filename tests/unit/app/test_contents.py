from __future__ import annotations

import json

import pytest
from classvm.app import contents

FILES = {"server.py": "1" * 64, "src/sum.py": "2" * 64}


def described(files: dict[str, str], packages: dict[str, str] | None = None) -> dict[str, str]:
    text = contents.describe(files, packages or {})
    assert len(text) <= contents.MAX_LENGTH
    found: dict[str, str] = json.loads(text)
    return found


def test_a_small_app_is_told_file_by_file() -> None:
    assert described(FILES, {"flask": "2.2.5"}) == {
        "file server.py": "1" * 8,
        "file src/sum.py": "2" * 8,
        "package flask": "2.2.5",
    }


def many(names: list[str], digest: str = "3" * 64) -> dict[str, str]:
    return {**FILES, **dict.fromkeys(names, digest)}


NAMES = [f"data/{at // 100}/file number {at}.txt" for at in range(6000)]


@pytest.mark.parametrize(
    "names",
    [
        NAMES,
        [f"data/{at}.txt" for at in range(6000)],
        [f"d{at}/a.txt" for at in range(6000)],
        ["/".join("abcdef") * 30 + f"/{at}" for at in range(6000)],
        [f"{at}.txt" for at in range(6000)],
    ],
    ids=["60 folders", "one folder", "6,000 folders", "deep", "top folder"],
)
def test_many_files_are_told_by_folder(names: list[str]) -> None:
    assert len(described(many(names))) < 1000


def test_what_is_beside_the_many_files_is_still_told_apart() -> None:
    found = described(many([f"data/{at}.txt" for at in range(6000)]))
    assert found["file src/sum.py"] == "2" * 8
    assert set(found) == {"file server.py", "file src/sum.py", "folder data/"}


def test_one_changed_file_among_many_shows() -> None:
    changed = {**many(NAMES), NAMES[4711]: "4" * 64}
    before, after = described(many(NAMES)), described(changed)
    assert before.keys() == after.keys()
    assert sum(before[name] != after[name] for name in before) == 1


def test_many_packages_are_told_as_one() -> None:
    packages = {f"package-number-{at}": "1.0" for at in range(2000)}
    assert "all 2000 packages" in described(FILES, packages)


def test_a_name_that_is_no_text_is_told() -> None:
    names = [f"data/\udcff{at}" for at in range(6000)]
    assert "folder data/" in described(many(names))
