from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import termios

import pytest
from classvm.output import screens
from classvm.output.screens import Lines, Terminal
from classvm.output.steps import FIRST, Step
from classvm.output.story import HostWork, Progress


class Tty(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def build(*hosts: str, name: str = "Build", kept: bool = True) -> Progress:
    named = hosts or ("a",)
    return Progress(Step(name, kept), 100, "Install", {host: HostWork() for host in named})


def visible(text: str) -> str:
    """Return what a terminal shows in the end: each erasing takes away what was drawn."""
    lines = [""]
    for part in re.split(r"(\r(?:\x1b\[\d+A)?\x1b\[J|\n)", text):
        if part == "\n":
            lines.append("")
        elif part.startswith("\r"):
            up = re.search(r"\[(\d+)A", part)
            del lines[len(lines) - int(up[1] if up else 0) :]
            lines[-1] = ""
        else:
            lines[-1] += part
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("stream", "term", "kind"),
    [
        (Tty(), "xterm", Terminal),
        (Tty(), "dumb", Lines),
        (Tty(), None, Lines),
        (io.StringIO(), "xterm", Lines),
    ],
)
def test_the_screen_of_an_output(stream: io.StringIO, term: str | None, kind: type) -> None:
    assert type(screens.screen_for(stream, {"TERM": term} if term else {})) is kind


@pytest.mark.parametrize(("variables", "colour"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_left_out_where_nobody_wants_them(
    variables: dict[str, str], colour: bool
) -> None:
    out = Tty()
    screen = screens.screen_for(out, {"TERM": "xterm", **variables})
    screen.done(build(), 103)
    screen.failed(build(), 103, "a")
    assert ("\x1b[32m" in out.getvalue()) is colour
    assert ("\x1b[31m" in out.getvalue()) is colour
    assert re.sub(r"\x1b\[\d+m", "", out.getvalue()) == "✓ Build, 3 s\n✗ Build on a, 3 s\n"


def test_a_step_is_redrawn_and_replaced_by_its_result() -> None:
    out = Tty()
    screen = Terminal(out, colour=False)
    screen.say("before")
    for second in range(3):
        screen.show(build(), 100 + second)
    assert visible(out.getvalue()).splitlines()[1:] == ["⠋ Build, 2 s: Install"]
    screen.done(build(), 103)
    assert visible(out.getvalue()) == "before\n✓ Build, 3 s\n"


def test_several_hosts_have_a_line_each() -> None:
    out = Tty()
    screen = Terminal(out, colour=False)
    progress = build("vm-148-2", "vm-148-1", "vm-148-10")
    progress.hosts["vm-148-1"].busy = False
    progress.hosts["vm-148-10"].failed = True
    for second in range(2):
        screen.show(progress, 100 + second)
    assert visible(out.getvalue()).splitlines() == [
        "⠴ Build, 1 s: Install",
        "    vm-148-1   done",
        "    vm-148-10  failed",
        "    vm-148-2   at work",
    ]
    screen.clear()
    assert visible(out.getvalue()) == ""


def test_many_hosts_do_not_fill_the_terminal() -> None:
    lines = screens.host_lines(build(*(f"vm-{number}" for number in range(30))))
    assert len(lines) == screens.HOST_LINES + 1
    assert lines[-1] == "    … and 18 more"


def test_a_line_is_never_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    out = Tty()
    Terminal(out, colour=False).show(build(name="Build the service image"), 100)
    assert len(out.getvalue()) == 19


def test_a_question_of_ssh_is_not_erased() -> None:
    out = Tty()
    screen = Terminal(out, colour=False)
    for second in range(3):
        screen.show(build("vm-148-1", name=FIRST, kept=False), 100 + second)
    assert "\x1b" not in out.getvalue()
    out = Tty()
    screen = Terminal(out, colour=False)
    for second in range(2):
        screen.show(build("localhost", name=FIRST, kept=False), 100 + second)
    assert "\x1b[J" in out.getvalue()


def watched(progress: Progress, seconds: float) -> list[str]:
    """Return what is printed without a terminal while a step goes on."""
    out = io.StringIO()
    screen = Lines(out, lambda: "12:00:00")
    for tick in range(int(seconds * 5) + 1):
        screen.show(progress, progress.began + tick / 5)
    screen.done(progress, progress.began + seconds)
    return out.getvalue().splitlines()


def test_without_a_terminal_a_quick_step_is_a_line() -> None:
    assert watched(build(), 0.8) == ["12:00:00 Build"]


def test_without_a_terminal_a_step_is_told_when_it_begins_and_whenever_it_was_silent() -> None:
    assert watched(build(), 20) == [
        "12:00:00 Build",
        "12:00:00 still: Build, 9 s: Install",
        "12:00:00 still: Build, 17 s: Install",
    ]


def test_silence_is_counted_over_several_steps() -> None:
    out = io.StringIO()
    screen = Lines(out, lambda: "12:00:00")
    for number, name in enumerate(("Look", "Ask", "Wait")):
        progress = build(name=name, kept=False)
        progress.began = 100 + 4 * number
        for second in range(4):
            screen.show(progress, progress.began + second)
    assert out.getvalue().splitlines() == ["12:00:00 still: Wait: Install"]


def test_ten_seconds_of_silence_leave_a_busy_machine_its_share() -> None:
    assert screens.BEAT_SECONDS <= 8


def test_a_question_of_ours_to_a_host_is_told_only_when_it_takes_long() -> None:
    asked = build(name="Look", kept=False)
    assert watched(asked, 7) == ["12:00:00 Look, 7 s"]
    assert len(watched(asked, 15)) == 2


def test_it_says_which_hosts_are_still_at_work() -> None:
    progress = build("a", "b")
    progress.hosts["a"].busy = False
    assert watched(progress, 10)[1] == "12:00:00 still: Build, 9 s: Install (b)"


def test_what_a_host_says_is_told() -> None:
    alone = build("a")
    alone.hosts["a"].doing = "downloading 3 of 9 packages"
    assert watched(alone, 10)[1].endswith("still: Build, 9 s: downloading 3 of 9 packages")
    several = build("a", "b", "c", "d", "e")
    several.hosts["b"].doing = "unpacking x"
    assert watched(several, 10)[1].endswith("9 s (a, c, d, 1 more; b: unpacking x)")


def test_hosts_that_do_the_same_are_told_together_in_a_line_that_ends() -> None:
    several = build("a", "b", "c", "d", "e")
    for host, work in several.hosts.items():
        work.doing = "step 2 of 9" if host > "b" else f"unpacking {host * 90}"
    told = watched(several, 10)[1]
    assert " 9 s (c, d, e: step 2 of 9; a: unpacking aaa" in told
    assert len(told) < 180
    assert told.endswith("…)")


def test_a_terminal_has_what_each_host_says() -> None:
    progress = build("a", "b")
    progress.hosts["a"].doing = "unpacking x"
    assert screens.host_lines(progress) == ["    a  unpacking x", "    b  at work"]
    progress.hosts["a"].failed = True
    progress.hosts["b"].busy = False
    assert screens.host_lines(progress) == ["    a  failed", "    b  done"]


def test_a_second_step_is_counted_from_its_own_beginning() -> None:
    out = io.StringIO()
    screen = Lines(out, lambda: "12:00:00")
    first, second = build(), build(name="Swap")
    second.began = 110
    for progress, now in ((first, 101), (second, 110.5), (second, 112), (second, 119)):
        screen.show(progress, now)
    screen.failed(second, 122, "")
    assert out.getvalue().splitlines() == [
        "12:00:00 Build",
        "12:00:00 Swap",
        "12:00:00 failed: Swap, 12 s",
    ]


def test_the_width_is_that_of_the_terminal_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    master, terminal = pty.openpty()
    with open(terminal, "w", encoding="utf-8") as stream:
        assert screens.width_of(stream) == 77  # it does not know its size
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        assert screens.width_of(stream) == 40
    os.close(master)
    assert screens.width_of(io.StringIO()) == 77
