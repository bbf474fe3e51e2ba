"""A release that is broken is refused, with its reason, and nobody notices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import apps
import plan
import pytest
from apps import Broken

if TYPE_CHECKING:
    from victim import Victim

PROMISE = "refused with its reason; the live release is not touched, no request fails"
UNIT = "classvm-faults-remove-image"


def refuse(victim: Victim, name: str, app: Path, reason: str, **more: object) -> None:
    """Release a broken service, which has to be refused."""
    before = victim.live()
    with victim.attempt(f"a release: {name}", PROMISE) as attempt:
        done = victim.play(app, **more)
        seen = attempt.end()
        attempt.outcome = f'"{reason}"' if reason in done.stdout else "refused without its reason"
        if done.returncode == 0:
            attempt.outcome = "it went live"
        assert done.returncode != 0, victim.evidence(done)
        assert reason in done.stdout, victim.evidence(done)
        assert victim.live() == before, victim.evidence(done)
        assert victim.containers() == [victim.facts.container], victim.evidence(done)
        assert victim.leftovers() == [], victim.evidence(done)
        assert seen.failures == 0, f"{seen}{victim.evidence(done)}"


def test_a_broken_release_is_refused(victim: Victim, flaw: Broken) -> None:
    app = apps.broken(victim.folder, flaw)
    more = {"service_health_timeout": apps.SHORT_SECONDS} if flaw.waits else {}
    refuse(victim, flaw.name, app, flaw.reason, **more)


@pytest.mark.skipif(plan.QUICK, reason="one of the slower ones")
def test_a_release_whose_image_goes_after_the_build_is_refused(victim: Victim) -> None:
    app = apps.good(victim.folder, "without-an-image")
    name = victim.recipe(app).image
    # It waits beside the deploy, and is faster than the control node's next step.
    script = f"until docker image rm {name}; do sleep 0.02; done"
    victim.vm.read(f"systemd-run --quiet --collect --unit {UNIT} sh -c %s", script)
    try:
        reason = f"The image {name} is not on this host"
        refuse(victim, "its image goes after the build", app, reason)
    finally:
        victim.vm.root(f"systemctl stop {UNIT}")
