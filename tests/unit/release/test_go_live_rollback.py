"""Rolling back."""

from __future__ import annotations

import pytest
from classvm.base.errors import ClassvmError
from classvm.release import go_live, history, lifecycle
from fake_engine import (
    CRASHES,
    GAP,
    OTHER,
    RELEASE_SPEC,
    STATE_DIR,
    TWICE,
    Engine,
)
from start_states import (
    assert_only_live,
    lines,
    requested,
    roll_back,
)


def test_going_back_takes_the_release_before(three: Engine) -> None:
    outcome = roll_back(three)
    assert outcome == go_live.Outcome(
        changed=True,
        release="r2",
        container=f"id-{RELEASE_SPEC.live}",
        replaced="r3",
        gap=GAP,
        seconds=TWICE,
    )
    assert_only_live(three)
    last = lines(three)[-1]
    assert (last["release"], last["result"], last["revision"]) == ("r2", "rolled back", "abc1234")


def test_going_back_does_not_try_again_what_was_good(three: Engine) -> None:
    roll_back(three)
    assert [words[1] for words in three.calls if words[0] == "start"] == [
        RELEASE_SPEC.candidate,
        RELEASE_SPEC.live,
    ]
    assert "run" not in three.verbs()


def test_going_back_twice_leads_to_where_one_was(three: Engine) -> None:
    assert [roll_back(three).release for _ in range(4)] == ["r2", "r3", "r2", "r3"]


def test_going_back_to_a_named_release(three: Engine) -> None:
    assert roll_back(three, "r1").release == "r1"
    assert roll_back(three).release == "r3"


def test_going_back_to_what_is_live_changes_nothing(three: Engine) -> None:
    before = three.state(), dict(three.files)
    assert not roll_back(three, "r3").changed
    assert (three.state(), three.files) == before


def test_going_back_starts_the_named_one_when_it_is_stopped(three: Engine) -> None:
    lifecycle.stop(three, "lab", STATE_DIR)
    assert roll_back(three, "r3").changed
    assert three.serving() == "r3"


def test_going_back_when_the_live_container_was_removed(three: Engine) -> None:
    three.boxes.clear()
    assert roll_back(three).release == "r3"


def test_a_release_that_is_not_good_any_more_is_undone(three: Engine) -> None:
    three.behaviours[RELEASE_SPEC.image] = CRASHES
    with pytest.raises(ClassvmError, match="Release r2 was refused: it ended"):
        roll_back(three)
    assert three.serving() == "r3"
    assert set(three.boxes) == {RELEASE_SPEC.live}
    assert lines(three)[-1]["result"] == "refused"


def test_a_dry_run_tells_which_release_it_would_be(three: Engine) -> None:
    before = three.state(), dict(three.files)
    shown = go_live.preview(three, requested("previous"), STATE_DIR, rolled_back=True)
    assert shown == go_live.Outcome(changed=True, release="r2", container="", replaced="r3")
    assert (three.state(), three.files) == before
    assert not go_live.preview(three, requested("r3"), STATE_DIR, rolled_back=True).changed
    assert not go_live.preview(three, OTHER, STATE_DIR, rolled_back=False).changed


def test_the_difference_is_to_the_release_that_one_goes_back_to(three: Engine) -> None:
    shown = go_live.compare(three, requested("previous"), STATE_DIR, "", rolled_back=True)
    assert (shown["before"].splitlines()[0], shown["after"].splitlines()[0]) == (
        "release r3",
        "release r2",
    )


@pytest.mark.parametrize("asked", ["previous", "r1"])
def test_where_the_history_is_missing_its_file_is_named(asked: str, three: Engine) -> None:
    path = f"{STATE_DIR}/{history.FILE}"
    del three.files[path]
    with pytest.raises(ClassvmError, match=f"Release r3 is live, but {path} is missing") as refused:
        roll_back(three, asked)
    assert "`make releases` shows" not in str(refused.value)
    assert three.serving() == "r3"


def test_where_the_history_is_damaged_its_lines_are_named(three: Engine) -> None:
    path = f"{STATE_DIR}/{history.FILE}"
    last = three.files[path].splitlines(keepends=True)[-1]
    three.files[path] = "{\n" + last
    with pytest.raises(ClassvmError, match=f"no earlier release. {path} is damaged: line 1 cannot"):
        roll_back(three)
