"""From an older commit to today's tree, and from strategy to strategy: each is a plain deploy.

The tests stand in the order of one host's story, and no request is lost in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from classvm.base import installed
from classvm.base.edge import BLUE_GREEN, RECREATE, slot_of

if TYPE_CHECKING:
    from pathlib import Path

    from faults.target import Target
    from infra.expected import Finished

PROMISE = "no request fails"
OTHER = {RECREATE: BLUE_GREEN, BLUE_GREEN: RECREATE}


def test_a_host_of_an_older_commit_takes_a_plain_deploy(target: Target) -> None:
    before = target.history()
    program = str(installed.HERE.program)
    assert target.vm.root("test -e %s", program).rc != 0, "the host is not one of an older commit"
    switch(target, "deployed by an older commit", live_app(target), target.strategy)
    assert target.vm.root("test -x %s", program).rc == 0
    # What the older commit has recorded is known still.
    assert target.history()[: len(before)] == before


def test_another_deploy_changes_nothing(target: Target) -> None:
    done = deploy(target, live_app(target), target.strategy)
    assert "changed=0 " in done.stdout, target.evidence(done)


def test_a_changed_app_goes_live_there(target: Target) -> None:
    switch(target, "a redeploy after that", target.other(), target.strategy)


def test_a_plain_deploy_takes_a_host_to_the_other_strategy(target: Target) -> None:
    strategy = OTHER[target.strategy]
    switch(target, f"{target.strategy} to {strategy}", live_app(target), strategy)


def test_a_changed_app_goes_live_by_the_other_strategy(target: Target) -> None:
    switch(target, "a redeploy after that", target.other(), OTHER[target.strategy])


def test_a_plain_deploy_with_another_app_takes_it_back(target: Target) -> None:
    words = f"{OTHER[target.strategy]} to {target.strategy}"
    switch(target, words, target.other(), target.strategy)


def test_the_load_notices_a_gap(target: Target) -> None:
    """The twin of the others: the same change, where nobody bridges the time without a port."""
    strategy = OTHER[target.strategy]
    with target.load.watch() as watch:
        deploy(target, live_app(target), strategy, service_gapless=False)
        target.vm.settle()
    assert watch.seen.failures, str(watch.seen)


def switch(target: Target, words: str, app: Path, strategy: str) -> None:
    """Deploy an app by a strategy, and see that no request fails until the host is at rest."""
    with target.attempt(words, PROMISE) as attempt:
        deploy(target, app, strategy)
        # The end of the swap may have been left to the background.
        target.vm.settle()
        seen = attempt.end()
        attempt.outcome = f"longest gap {seen.gap:.2f} s, p99 {seen.p99 * 1000:.0f} ms"
        assert seen.failures == 0, f"{seen}{target.evidence()}"
    assert target.message() == app.name
    live = target.vm.docker.container(target.facts.container)
    assert live is not None
    assert bool(slot_of(live)) is (strategy == BLUE_GREEN)
    assert target.containers() == [target.facts.container]
    assert target.leftovers() == []


def deploy(target: Target, app: Path, strategy: str, **variables: object) -> Finished:
    """Run the main job as an admin does, who goes on when the new release serves."""
    chosen = {"service_strategy": strategy, "service_background": True, **variables}
    done = target.play(app, "deploy", **chosen)
    assert done.returncode == 0, target.evidence(done)
    return done


def live_app(target: Target) -> Path:
    """Return the app that is live."""
    return next(app for app in target.good_apps if app.name == target.message())
