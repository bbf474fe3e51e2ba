"""Work in a process of its own."""

from __future__ import annotations

import os
import time

import pytest
from faults.background import BackgroundProcess, first_in_line


def test_its_reports_arrive() -> None:
    heard: list[int] = []

    def work(report: object) -> None:
        assert callable(report)
        for number in range(3):
            report(number)

    process = BackgroundProcess(work, heard.append)
    process.start()
    process.join(10)
    assert heard == [0, 1, 2]
    assert not process.is_running


def test_it_can_be_stopped() -> None:
    process = BackgroundProcess(lambda _: time.sleep(60), print)
    process.start()
    assert process.is_running
    process.stop()
    assert not process.is_running


@pytest.mark.parametrize("is_allowed", [True, False])
def test_the_work_waits_for_no_other_where_that_is_allowed(
    is_allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []

    def schedule(process: int, policy: int, parameters: os.sched_param) -> None:
        done.append((process, policy, parameters.sched_priority))
        if not is_allowed:
            raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", schedule)
    first_in_line(done.append, "the work")
    assert done == [(0, os.SCHED_RR, 1), "the work"]
