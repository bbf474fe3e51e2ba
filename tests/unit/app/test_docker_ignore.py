"""The patterns of .dockerignore."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from classvm.app import docker_ignore
from docker.utils.build import PatternMatcher


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["*", "!src/*.py"],
        ["**/*.pyc", "data/**/old"],
        ["src", "!src/a.py", "src/?.txt"],
    ],
)
@pytest.mark.parametrize("name", ["a.pyc", "src/a.py", "src/b.txt", "data/x/y/old", "data/old"])
def test_a_name_is_ignored_as_the_whole_package_has_it(lines: list[str], name: str) -> None:
    assert docker_ignore.matcher(lines).matches(name) == PatternMatcher(lines).matches(name)


def test_the_client_of_the_api_is_not_imported() -> None:
    program = (
        "import sys; from classvm.app import docker_ignore;"
        " docker_ignore.matcher(['*']); sys.exit('requests' in sys.modules)"
    )
    # The folder of the package `classvm`; that of the clone may have the same name.
    folder = Path(docker_ignore.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, check=False)
    assert done.returncode == 0


def test_without_the_package_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    docker_ignore._build_module.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ModuleNotFoundError, match="docker"):
        docker_ignore.matcher([])
    docker_ignore._build_module.cache_clear()
