from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from classvm.base import command
from classvm.base.errors import ClassvmError

if TYPE_CHECKING:
    from pathlib import Path


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_run_keeps_what_a_program_said() -> None:
    argv = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert command.run(argv) == command.Finished(argv, 3, "out\n", "err\n")


# It goes on only when its first line was heard.
LINES = """
import os, sys, time
sys.stderr.write(sys.stdin.read())
print(0, flush=True)
until = time.monotonic() + 10
while not os.path.exists(sys.argv[1]):
    if time.monotonic() > until:
        sys.exit("nobody has heard it")
    time.sleep(0.01)
print(1, flush=True)
print(2, flush=True)
sys.exit(3)
"""


def test_a_program_is_heard_while_it_runs(tmp_path: Path) -> None:
    heard: list[str] = []

    def hear(line: str) -> None:
        heard.append(line)
        if line == "0":
            (tmp_path / "heard").touch()

    done = command.run([*python(LINES), str(tmp_path / "heard")], stdin=b"in\n", heard=hear)
    assert (done.code, done.out, done.err) == (3, "0\n1\n2\n", "in\n")
    assert sorted(heard) == ["0", "1", "2", "in"]


def test_a_program_that_is_heard_need_not_read_what_it_is_given() -> None:
    done = command.run(["true"], stdin=b"x" * 1_000_000, heard=lambda _: None)
    assert done.code == 0


def test_a_program_that_is_heard_has_its_time_and_so_has_what_it_leaves_behind() -> None:
    for script in ("sleep 9", "sleep 9 & exit 0"):
        with pytest.raises(command.TimeLimitError):
            command.run(["sh", "-c", script], timeout=0.3, heard=lambda _: None)


def test_who_watches_a_program_may_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "LOOK_SECONDS", 0.02)
    seen: list[int] = []

    def watch(printed: int) -> None:
        seen.append(printed)
        if printed > len("many\n"):
            raise ClassvmError("Too much")

    many = "while :; do echo many; sleep 0.01; done"
    with pytest.raises(ClassvmError, match="Too much"):
        command.run(["sh", "-c", many], heard=lambda _: None, watched=watch)
    assert sorted(seen) == seen
    done = command.run(["sh", "-c", "sleep 0.1; exit 3"], heard=lambda _: None, watched=seen.append)
    assert (done.code, seen[-1]) == (3, 0)


def test_a_program_that_is_watched_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "LOOK_SECONDS", 0.02)
    with pytest.raises(command.TimeLimitError):
        command.run(["sleep", "9"], timeout=0.1, heard=lambda _: None, watched=lambda _: None)


def test_check_returns_the_output() -> None:
    assert command.check(["echo", "a  b"]) == "a  b\n"


def test_check_refuses_a_failure_and_quotes_the_command() -> None:
    with pytest.raises(command.CommandError) as failed:
        command.check(["sh", "-c", "echo no luck; exit 4"])
    assert str(failed.value).splitlines() == [
        "sh failed: no luck",
        "`sh -c 'echo no luck; exit 4'` ended with exit code 4:",
        "no luck",
    ]
    assert failed.value.finished.code == 4


def test_what_did_not_work_is_told_in_plain_words() -> None:
    error = command.CommandError(command.Finished(["/bin/x"], 1, "", "boom"), "It was not made")
    assert error.line == "It was not made: boom"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("docker: Error response from daemon: no luck.\nSee 'docker run --help'.\n", "no luck."),
        ("invalid argument \"lots\"\nSee 'docker create --help'.", 'invalid argument "lots"'),
        ("W: slow\nE: no network\nI: the end", "no network"),
        (
            "guard.nft:7:3-9: Error: syntax error\n  lots\n  ^^^^\n",
            "guard.nft:7:3-9: Error: syntax error",
        ),
        ("one\ntwo\n\n", "two"),
        ("", "it ended with exit code 3"),
    ],
)
def test_the_reason_of_a_failure_is_the_line_that_tells_it(said: str, reason: str) -> None:
    assert command.Finished(["x"], 3, "", said).reason() == reason


def test_no_shell_reads_the_words() -> None:
    assert command.check(["echo", "$(id); `id` > x"]) == "$(id); `id` > x\n"


def test_standard_input_is_empty_unless_given() -> None:
    assert command.check(["cat"]) == ""
    assert command.check(["cat"], stdin=b"given") == "given"


def test_variables_are_added_to_those_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERE", "1")
    script = "echo $THERE $ADDED"
    assert command.check(["sh", "-c", script], env={"ADDED": "2"}) == "1 2\n"
    assert command.check(["sh", "-c", script]) == "1\n"


def test_a_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(ClassvmError, match="no-such-program is not installed on this machine"):
        command.run(["no-such-program"])


def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ClassvmError, match="sleep did not end within 0 s"):
        command.run(["sleep", "60"], timeout=0.01)


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert command.run(["printf", r"\377"]).out == "\N{REPLACEMENT CHARACTER}"


def test_last_lines_are_few_and_short() -> None:
    out = "".join(f"line {number}\n" for number in range(99))
    lines = command.Finished([], 1, out, "x" * 999).last_lines().splitlines()
    assert len(lines) == command.LAST_LINES
    assert lines[-2:] == ["line 98", "x" * command.LINE_LENGTH]


def test_programs_make_what_everybody_may_read(tmp_path: Path) -> None:
    former = os.umask(0o077)
    try:
        command.use_usual_umask()
        command.check(["touch", str(tmp_path / "made")])
    finally:
        os.umask(former)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o644


TALKS = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
for stream in (1, 2):
    for _ in range(2000):
        os.write(stream, b"x" * 65536)
sys.exit(3)
"""


def test_of_a_program_that_says_too_much_a_part_is_kept() -> None:
    """All of it would be 250 MB; it is read to its end, so that the program comes to its own."""
    done = command.run(python(TALKS), most=100_000)
    assert (done.code, len(done.out), len(done.err)) == (3, 100_000, 100_000)
    done = command.run(python("print('x' * 99)"), most=100)
    assert done.out == "x" * 99 + "\n"


def test_a_program_of_which_a_part_is_kept_has_its_time() -> None:
    with pytest.raises(command.TimeLimitError):
        command.run(["yes"], most=100, timeout=0.3)
