"""What docs/transcripts.md shows: few lines, no long silence, and the cause at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
import transcripts
from classvm.output.reason import LONGEST_LINE

SECTION = re.compile(
    r"^## (?P<title>.+)\n\n```sh\n(?P<command>.+)\n```\n\n```text\n(?P<text>(?:.*\n)*?)```\n\n"
    r"(?P<seconds>\d+) s, the longest silence (?P<silence>\d+) s, exit code (?P<code>\d+)\.$",
    re.MULTILINE,
)
STILL = re.compile(r"\d\d:\d\d:\d\d still: ")
LONGEST_SILENCE = 10
UP = r"is up at \S+ \(10 operations verified, "
# By title: how many lines may stand before the closing ones, and the closing lines.
EXPECTED: dict[str, tuple[int, list[str]]] = {
    "A first deploy, to a bare VM": (12, [UP]),
    "A deploy that changes nothing": (6, [UP + r"0 changed\)"]),
    "A changed line": (6, [UP + r"gap \d\.\d s, (the former release [^,]+, )?2 changed\)"]),
    "An exception in a handler": (
        40,
        [r"GET \S+/hello: ValueError: no greeting today \(src/hello\.py:\d+\)"],
    ),
    "A misspelt key in an answer": (
        20,
        [r"GET \S+/hello: the answer breaks the schema: .*'mesage' was unexpected"],
    ),
    "A build that fails": (32, [r"could not be built: .*No module named 'no_such_module'"]),
    "A spec that is not YAML": (10, [r"a comma or `\]` is missing .*\(master\.yml:\d+:\d+\)"]),
    "A slip in a setting": (3, [r"service_memori is not known: did you mean service_memory\?"]),
    "6 VMs, of which one is off": (12, [*[UP] * 5, "vm-148-6 failed: It cannot be reached"]),
}


@dataclass(frozen=True)
class Transcript:
    """A run, as the document has it."""

    title: str
    lines: list[str]
    silence: int
    code: int

    @property
    def closing(self) -> list[str]:
        """The lines that close the run, one for each host."""
        return [line for line in self.lines if line.startswith("classvm: ")]

    @property
    def told(self) -> list[str]:
        """The lines above them that stay on a terminal, too."""
        others = [line for line in self.lines if not STILL.match(line)]
        return [line for line in others if not line.startswith(("classvm: ", "make: ***"))]


def read(document: str) -> dict[str, Transcript]:
    """Return the transcripts of a document by title."""
    return {
        found["title"]: Transcript(
            found["title"],
            found["text"].splitlines(),
            int(found["silence"]),
            int(found["code"]),
        )
        for found in SECTION.finditer(document)
    }


TRANSCRIPTS = read(transcripts.DOCUMENT.read_text(encoding="utf-8"))


def test_every_scene_is_in_the_document() -> None:
    titles = [scene.title for scene in transcripts.scenes(transcripts.HOSTS)]
    assert list(TRANSCRIPTS) == titles
    assert set(EXPECTED) == set(titles)


@pytest.mark.parametrize("title", EXPECTED)
def test_few_lines_are_told(title: str) -> None:
    most, _ = EXPECTED[title]
    assert len(TRANSCRIPTS[title].told) <= most


@pytest.mark.parametrize("title", EXPECTED)
def test_the_closing_lines_say_what_became_of_it(title: str) -> None:
    closing, (_, expected) = TRANSCRIPTS[title].closing, EXPECTED[title]
    assert len(closing) == len(expected)
    for line, pattern in zip(closing, expected, strict=True):
        assert re.search(pattern, line)
        assert len(line) <= LONGEST_LINE
    assert (TRANSCRIPTS[title].code != 0) == any(" failed: " in line for line in closing)


@pytest.mark.parametrize("title", EXPECTED)
def test_no_run_is_silent_for_long(title: str) -> None:
    assert TRANSCRIPTS[title].silence <= LONGEST_SILENCE


def test_a_run_that_is_not_calm_is_noticed() -> None:
    run = transcripts.Recorded("make x", ("a", "12:00:00 still: a, 9 s", "classvm: up"), 0, 30, 20)
    (noticed,) = read(transcripts.section("x", run)).values()
    assert (noticed.told, noticed.closing) == (["a"], ["classvm: up"])
    assert noticed.silence > LONGEST_SILENCE
