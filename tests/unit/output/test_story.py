from __future__ import annotations

from typing import Any

import pytest
from classvm.output import story
from classvm.output.steps import Step
from classvm.output.story import Progress, Screen, Story

BUILD, ASK = Step("Build", kept=True), Step("Ask", kept=False)
STEPS = {"build": BUILD, "more": BUILD, "ask": ASK}


class Recorded(Screen):
    """A screen that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def say(self, text: str) -> None:
        self.told.append(text)

    def show(self, progress: Progress, now: float) -> None:
        self.told.append(f"… {progress.step.name} {now - progress.began:.0f}: {progress.doing}")

    def done(self, progress: Progress, now: float) -> None:
        self.told.append(f"done {progress.step.name} {now - progress.began:.0f}")

    def failed(self, progress: Progress, now: float, host: str) -> None:
        self.told.append(f"failed {progress.step.name} {now - progress.began:.0f} {host}".strip())

    def clear(self) -> None:
        self.told.append("clear")


class Run:
    """A story with a clock that a test sets."""

    def __init__(self) -> None:
        self.screen = Recorded()
        self.now = 0.0
        self.story = Story(self.screen, lambda: self.now)
        self.story.play("Release", STEPS)

    def task(self, *names: str, seconds: float = 0, hosts: str = "a", **result: Any) -> None:
        self.story.task(names)
        for host in hosts.split():
            self.story.started(host)
        self.now += seconds
        for host in hosts.split():
            self.story.ended(host, **result)

    @property
    def told(self) -> list[str]:
        return [line for line in self.screen.told if line != "clear"]


@pytest.fixture
def run() -> Run:
    return Run()


def test_tasks_of_a_step_are_one_line(run: Run) -> None:
    run.task("build", changed=True)
    run.task("more", seconds=3)
    run.task("ask")
    assert run.told == ["done Build 3"]


@pytest.mark.parametrize(
    ("name", "seconds", "changed", "kept"),
    [
        ("build", 0, True, True),
        ("build", 5, False, True),
        ("build", 4, False, False),
        ("ask", 30, True, False),
    ],
)
def test_which_results_stay(name: str, seconds: float, changed: bool, kept: bool, run: Run) -> None:
    run.task(name, seconds=seconds, changed=changed)
    run.story.end_step()
    assert len(run.told) == kept


def test_it_is_shown_while_it_goes_on(run: Run) -> None:
    run.story.task(["build", "Install a package"])
    run.now = 4
    run.story.tick()
    assert run.told == ["… Build 4: Install a package"]


def test_nothing_is_shown_between_steps_and_while_something_is_asked(run: Run) -> None:
    run.story.tick()
    run.story.task(["build"], asks=True)
    run.story.tick()
    assert run.told == []
    run.task("more")
    run.story.tick()
    assert run.told == ["… Build 0: more"]


def test_what_a_host_says_is_asked_while_it_works() -> None:
    said = {"a": "unpacking x", "b": "of the step before"}
    story = Story(Recorded(), lambda: 0.0, lambda host: said[host])
    story.task(["build"])
    for host in said:
        story.started(host)
    story.ended("b")
    story.tick()
    hosts = story._progress.hosts if story._progress else {}
    assert {host: work.doing for host, work in hosts.items()} == {"a": "unpacking x", "b": ""}


def test_a_note_is_said_once(run: Run) -> None:
    run.task("build", hosts="a b", notes=["reads 3 files"])
    assert run.told == ["  reads 3 files"]


def test_a_failure_is_told_with_its_details_and_no_result(run: Run) -> None:
    run.task("build", seconds=3)
    run.story.failed("a", ["line 2", "", "line 4"])
    run.story.end_step()
    assert run.told == ["failed Build 3", "  line 2", "", "  line 4"]


def test_one_of_several_fails(run: Run) -> None:
    run.task("build", hosts="a b", changed=True)
    run.story.failed("b", [])
    run.story.end_step()
    assert run.told == ["failed Build 0 b", "done Build 0"]


def test_a_difference_is_told_below_its_task(run: Run) -> None:
    run.task("build")
    run.story.difference("a", ["-1", "+2"])
    assert run.told == ["  build:", "  -1", "  +2"]


def test_the_same_difference_of_two_hosts_is_told_once(run: Run) -> None:
    run.task("build", hosts="a b")
    run.story.difference("a", ["-1", "+2"])
    run.story.difference("b", ["-1", "+2"])
    told = ["  build on a:", "  -1", "  +2", "  build on b:", "  the same as on a"]
    assert run.told == told


def test_the_same_failure_of_two_hosts_is_told_once(run: Run) -> None:
    run.task("build", hosts="a b")
    run.story.failed("a", ["why"])
    run.story.failed("b", ["why"])
    assert run.told == ["failed Build 0 a", "  why", "failed Build 0 b", "  the same as on a"]


def test_a_failure_before_any_task(run: Run) -> None:
    run.story.failed("a", ["why"])
    assert run.told == ["  why"]


def test_a_long_message_is_cut_in_the_middle() -> None:
    lines = [str(number) for number in range(1000)]
    cut = story.shown(lines)
    assert len(cut) == story.MESSAGE_LINES + 1
    assert (cut[0], cut[-1]) == ("0", "999")
    assert "940 lines" in cut[story.MESSAGE_LINES // 2]
    assert story.shown(lines[: story.MESSAGE_LINES]) == lines[: story.MESSAGE_LINES]


def test_a_screen_may_show_nothing() -> None:
    silent = Story(Screen())
    silent.task(["x"])
    silent.started("a")
    silent.tick()
    silent.failed("a", ["why"])
    silent.ended("b", changed=True)
    silent.end_step()
