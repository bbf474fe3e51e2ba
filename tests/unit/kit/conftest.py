"""Start programs as a student's container does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from free_ports import free_port
from launched import Launched, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# The package of the kit reads its port when it is imported; no unit test listens there.
os.environ.setdefault("CLASSVM_PORT", "9000")


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Launched]]:
    """Start an app: `launch("server.py", **{"server.py": "…"})`."""
    running = []

    def start(*words: str, **files: str) -> Launched:
        write(tmp_path, files)
        running.append(Launched(tmp_path, words, free_port()))
        return running[-1]

    yield start
    for one in running:
        one.process.kill()
        one.process.wait(10)
