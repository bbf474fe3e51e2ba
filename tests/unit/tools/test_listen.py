from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import listen

if TYPE_CHECKING:
    from pathlib import Path

SAYS = "import sys, time; print('one', flush=True); time.sleep(0.3); print('two'); sys.exit(3)"


def test_what_a_command_prints_and_how_long_it_is_silent(tmp_path: Path) -> None:
    heard = listen.listen([sys.executable, "-c", SAYS], tmp_path)
    assert (heard.code, heard.lines) == (3, ("one\n", "two\n"))
    # The first line may be heard late, the silence after it is then shorter.
    assert 0.1 <= heard.silence <= heard.seconds


def test_the_silence_before_the_first_line_and_after_the_last_counts(tmp_path: Path) -> None:
    heard = listen.listen(["sleep", "0.3"], tmp_path)
    assert heard.silence == heard.seconds >= 0.3


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    heard = listen.listen(["sleep", "60"], tmp_path, limit=0.2)
    assert heard.code < 0
    assert heard.seconds < 30


def test_nobody_is_asked_anything(tmp_path: Path) -> None:
    assert listen.listen(["sh", "-c", "read x </dev/tty || cat"], tmp_path, limit=20).code == 0
