"""What the checks read."""

from __future__ import annotations

import pytest
from classvm.doctor import reading


def test_commands_that_fail_to_start_or_hang_are_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert reading.run(["no-such-command-here"]).code == 127
    monkeypatch.setattr(reading, "PATIENCE", 0.05)
    assert reading.run(["sleep", "5"]).code == 127
