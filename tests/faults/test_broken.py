"""A release that is broken is refused, with its reason, and nobody notices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import apps
import plan
from apps import Broken
from classvm.base.edge import RECREATE

if TYPE_CHECKING:
    from victim import Victim

PROMISE = "refused with its reason; the live release is not touched, no request fails"


def refused(victim: Victim, name: str, reason: str, deploy: Callable[[], tuple[bool, str]]) -> None:
    """Make sure that a deploy is refused, and that nobody notices.

    Args:
        victim: the VM.
        name: what is wrong with the release, as a clause.
        reason: what the refusal has to say.
        deploy: releases it; returns whether it went live, and what was said.

    """
    with victim.attempt(f"a release: {name}", PROMISE) as attempt:
        before = victim.live()
        went_live, said = deploy()
        seen = attempt.end()
        attempt.outcome = f'"{reason}"' if reason in said else "refused without its reason"
        if went_live:
            attempt.outcome = "it went live"
        evidence = f"{said}{victim.evidence()}"
        assert not went_live, evidence
        assert victim.live() == before, evidence
        assert victim.containers() == [victim.facts.container], evidence
        assert victim.leftovers() == [], evidence
        assert seen.failures == 0, f"{seen}{evidence}"
        assert reason in said, evidence


def test_a_broken_release_is_refused(victim: Victim, flaw: Broken) -> None:
    victim.require(flaw.strategy)
    app = apps.broken(victim.folder, flaw)
    more = {"service_health_timeout": apps.SHORT_SECONDS} if flaw.waits else {}

    def deploy() -> tuple[bool, str]:
        done = victim.play(app, **more)
        return done.returncode == 0, done.stdout

    refused(victim, flaw.name, flaw.reason, deploy)


@plan.slow
def test_a_release_whose_image_is_gone_is_refused(victim: Victim) -> None:
    victim.require(RECREATE)
    app = apps.good(victim.folder, "without-an-image")
    victim.install(*victim.goods, app)

    def deploy() -> tuple[bool, str]:
        came = victim.drive("release", app)
        return not came["error"], came["error"]

    reason = f"The image {victim.recipe(app).image} is not on this host"
    refused(victim, "its image is gone", reason, deploy)
