"""A broken release is refused with its reason, and no client notices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from classvm.base.edge import RECREATE
from faults import apps
from faults.apps import BrokenRelease
from infra import scope

if TYPE_CHECKING:
    from faults.target import Target

PROMISE = "refused with its reason; the live release is not touched, no request fails"


def refused(target: Target, name: str, reason: str, deploy: Callable[[], tuple[bool, str]]) -> None:
    """Make sure that a deploy is refused, and that no client notices.

    Args:
        target: the VM.
        name: what is wrong with the release, as a clause.
        reason: text that the refusal has to contain.
        deploy: releases the app; returns whether it went live, and the output.

    """
    with target.attempt(f"a release: {name}", PROMISE) as attempt:
        before = target.live()
        went_live, output = deploy()
        seen = attempt.end()
        attempt.outcome = f'"{reason}"' if reason in output else "refused without its reason"
        if went_live:
            attempt.outcome = "it went live"
        evidence = f"{output}{target.evidence()}"
        assert not went_live, evidence
        assert target.live() == before, evidence
        assert target.containers() == [target.facts.container], evidence
        assert target.leftovers() == [], evidence
        assert seen.failures == 0, f"{seen}{evidence}"
        assert reason in output, evidence


def test_a_broken_release_is_refused(target: Target, flaw: BrokenRelease) -> None:
    target.require(flaw.strategy)
    app = apps.broken(target.folder, flaw)
    more: dict[str, object] = {}
    if flaw.waits:
        more["service_health_timeout"] = apps.SHORT_SECONDS
    if flaw.serves:
        more["service_gapless"] = False

    def deploy() -> tuple[bool, str]:
        done = target.play(app, **more)
        return done.returncode == 0, done.stdout

    refused(target, flaw.name, flaw.reason, deploy)


@scope.slow
def test_a_release_whose_image_is_gone_is_refused(target: Target) -> None:
    target.require(RECREATE)
    app = apps.good(target.folder, "without-an-image")
    target.install(*target.good_apps, app)

    def deploy() -> tuple[bool, str]:
        outcome = target.drive("release", app)
        return not outcome["error"], outcome["error"]

    reason = f"The image {target.recipe(app).image} is not on this host"
    refused(target, "its image is gone", reason, deploy)
