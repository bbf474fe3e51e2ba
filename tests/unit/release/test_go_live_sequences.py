"""Any sequence of releases, rollbacks, starts and stops, each cut off anywhere: always in order."""

from __future__ import annotations

import dataclasses
import os
from typing import Self

import pytest
from classvm.base.edge import BLUE_GREEN, LABEL_SLOT, RECREATE, Edge
from classvm.base.errors import ClassvmError
from classvm.release import go_live, history, lifecycle
from classvm.release.redirect import NOT_ROOT
from classvm.release.release_spec import ReleaseSpec
from fake_engine import (
    BAD_AS_LIVE,
    BREAKS_CONTRACT,
    CRASHES,
    ENDLESS,
    GOOD,
    MAP_FILE,
    NEVER_HEALTHY,
    RECORD_FILE,
    RELEASE_SPEC,
    RELEASE_SPECS,
    RUN_FAILS,
    STATE_DIR,
    Behaviour,
    Cut,
    Engine,
    Killed,
    enter,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

KEEP = 1
NAMES = [spec.release for spec in RELEASE_SPECS]
BEHAVIOURS = [GOOD, RUN_FAILS, NEVER_HEALTHY, CRASHES, BREAKS_CONTRACT, BAD_AS_LIVE, ENDLESS]
HISTORY = os.path.join(STATE_DIR, history.FILE)
ANY_CUT = st.none() | st.builds(
    Cut,
    at=st.integers(1, 60),
    happened=st.sampled_from(["not", "by half", "wholly"]),
    by=st.sampled_from([Killed, KeyboardInterrupt, SystemExit]),
)


class Host(RuleBasedStateMachine):
    """One host, on which runs follow each other; `clean` says that the last one was not cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.engine = Engine()
        self.clean = True
        self.written: list[history.Entry] = []
        enter(self.engine, self.patch)

    def teardown(self) -> None:
        self.patch.undo()

    @initialize(spec=st.sampled_from(RELEASE_SPECS))
    def first(self, spec: ReleaseSpec) -> None:
        go_live.release(self.engine, spec, STATE_DIR, KEEP)

    @rule(
        spec=st.sampled_from(RELEASE_SPECS),
        behaviour=st.sampled_from(BEHAVIOURS),
        background=st.booleans(),
        cut=ANY_CUT,
    )
    def release(
        self, spec: ReleaseSpec, behaviour: Behaviour, background: bool, cut: Cut | None
    ) -> None:
        spec = dataclasses.replace(spec, background=background)
        # A build comes first, and the same content behaves the same.
        self.engine.behaviours.setdefault(spec.image, GOOD)
        if not any(box.image == spec.image for box in self.engine.boxes.values()):
            self.engine.behaviours[spec.image] = behaviour
        with Run(self, cut) as run:
            outcome = go_live.release(self.engine, spec, STATE_DIR, KEEP)
            self.finish()
            run.lives = outcome.release

    def finish(self) -> None:
        """Do what was left to a process in the background, and tell of its refusal."""
        for refusal in self.engine.finish():
            raise refusal

    @rule(asked=st.sampled_from(["previous", *NAMES]), background=st.booleans(), cut=ANY_CUT)
    def go_back(self, asked: str, background: bool, cut: Cut | None) -> None:
        spec = dataclasses.replace(RELEASE_SPEC, release=asked, contract="", background=background)
        with Run(self, cut) as run:
            outcome = go_live.roll_back(self.engine, spec, STATE_DIR)
            self.finish()
            run.lives = outcome.release
            assert asked in ("previous", outcome.release)
            assert (outcome.release == outcome.replaced) is (asked == outcome.replaced)

    @rule(again=st.booleans(), cut=ANY_CUT)
    def start(self, again: bool, cut: Cut | None) -> None:
        work = lifecycle.restart if again else lifecycle.start
        with Run(self, cut):
            work(self.engine, "lab", STATE_DIR, 2)

    @precondition(lambda self: self.clean)
    @rule()
    def stop(self) -> None:
        lifecycle.stop(self.engine, "lab", STATE_DIR)

    @precondition(lambda self: self.clean)
    @rule(obstacle=st.sampled_from(["", NOT_ROOT]))
    def come_as(self, obstacle: str) -> None:
        """Let the next runs be those of root, or of an account that is not root."""
        self.engine.obstacle = obstacle

    @rule()
    def reboot(self) -> None:
        self.engine.reboot()

    @rule(strategy=st.sampled_from([BLUE_GREEN, RECREATE]))
    def provision(self, strategy: str) -> None:
        """Choose the strategy of the next release, as the role `edge` does."""
        if strategy == BLUE_GREEN or RECORD_FILE in self.engine.files:
            self.engine.record_edge(strategy)

    @precondition(lambda self: self.clean and self.is_idle())
    @rule()
    def retire_the_edge(self) -> None:
        self.engine.retire_edge()

    def is_idle(self) -> bool:
        """Tell whether the last release said that HAProxy is of no use any more."""
        edge = Edge.load(STATE_DIR)
        live = self.engine.boxes.get(RELEASE_SPEC.live)
        behind = live is not None and LABEL_SLOT in live.labels
        return bool(edge.slots) and not edge.takes_releases and not behind

    @rule()
    def tear_the_last_line(self) -> None:
        self.engine.append(HISTORY, '{"time": "20')

    @invariant()
    def a_run_that_was_not_cut_off_leaves_nothing_behind(self) -> None:
        if self.clean:
            assert set(self.engine.boxes) <= {RELEASE_SPEC.live}
            assert set(self.engine.files) <= {HISTORY, RECORD_FILE, MAP_FILE}

    @invariant()
    def lines_are_never_lost(self) -> None:
        now = history.read(STATE_DIR, "lab")
        assert now[: len(self.written)] == self.written
        assert len({entry.time for entry in now}) == len(now)
        self.written = now

    @invariant()
    def what_is_live_keeps_its_image(self) -> None:
        if self.clean and RELEASE_SPEC.live in self.engine.boxes:
            assert self.engine.boxes[RELEASE_SPEC.live].image in self.engine.behaviours


class Run:
    """One run: cut off, refused, or successful, with what has to be true afterwards."""

    def __init__(self, host: Host, cut: Cut | None) -> None:
        self.host = host
        self.lives = ""
        host.engine.revive()
        self.served = host.engine.serving() if host.clean else ""
        host.engine.cut = cut

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, reason: BaseException | None, __: object) -> bool:
        engine = self.host.engine
        cut_off = engine.cut is not None and isinstance(reason, engine.cut.by)
        # What was interrupted has tidied up as far as it could; the next run does the rest.
        self.host.clean = not cut_off
        engine.revive()
        # A process in the background goes on, and holds the lock, when its caller has died.
        engine.finish()
        if reason is None:
            self._succeeded()
        elif isinstance(reason, ClassvmError) and self.served:
            assert engine.serving() == self.served, "a healthy release was lost"
        return cut_off or isinstance(reason, ClassvmError)

    def _succeeded(self) -> None:
        engine = self.host.engine
        assert engine.serving()
        good = [entry for entry in history.read(STATE_DIR, "lab") if entry.went_live]
        if self.lives:
            assert engine.serving() == self.lives
            assert good[-1].release == self.lives


TestHost = Host.TestCase
TestHost.settings = settings(max_examples=60, stateful_step_count=12)
