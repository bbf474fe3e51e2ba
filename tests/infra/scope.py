"""Which of the suites that harm class VMs run, and how much they do.

HARM=mutation or HARM=faults in the environment runs one suite; without it, both run. SCOPE=quick
does a few things of each kind, as `make test` does; without it, everything is done.

"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

SUITES = ("mutation", "faults")
QUICK_SCOPE = "quick"


def choice(name: str, allowed: tuple[str, ...], environment: Mapping[str, str] = os.environ) -> str:
    """Return the value of a variable of the environment, "" where it is not set.

    Raises:
        pytest.UsageError: the value is not allowed. A misspelt one would run something else.

    """
    value = environment.get(name, "")
    if value not in ("", *allowed):
        raise pytest.UsageError(f"{name}={value} is unknown; use {name}={' or '.join(allowed)}")
    return value


def suites(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the suites that run, by the names of their folders in tests/.

    Raises:
        pytest.UsageError: HARM names another one.

    """
    chosen = choice("HARM", SUITES, environment)
    return (chosen,) if chosen else SUITES


QUICK = choice("SCOPE", (QUICK_SCOPE,)) == QUICK_SCOPE
# For tests that take longer than `make test` may.
slow = pytest.mark.skipif(QUICK, reason=f"left out by SCOPE={QUICK_SCOPE}")


def fail_if_nothing_passed(session: pytest.Session) -> None:
    """Make a run red in which no test passed: each was skipped, deselected or not found."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.exitstatus != pytest.ExitCode.OK or session.config.option.collectonly:
        return
    if reporter and not reporter.stats.get("passed"):
        reporter.write_line("no test passed, so nothing is proven: this run is red", red=True)
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def keep_chosen(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of a suite that HARM leaves out."""
    unwanted = set(SUITES) - set(suites())
    left_out = [item for item in items if item.path.parent.name in unwanted]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
