"""What HAProxy answers to a request by itself is problem JSON, as what the service answers."""

from __future__ import annotations

import re

import pytest
import tree

CONFIG = (tree.ROOT / "roles/edge/templates/etc/classvm/edge.cfg.j2").read_text()
# A bad request, a body that does not arrive, a broken answer, no server, no answer in time. Before
# it has read a head, HAProxy has a page that no setting replaces.
# Source: HAProxy 2.8, Configuration Manual, 1.3.1 (The response line).
BY_ITSELF = {400, 408, 502, 503, 504}
PROBLEM = r"content-type application/problem\+json string \{\{ problem\((\d+), "


def without_problem(config: str) -> set[int]:
    """Return the statuses that HAProxy would answer with a page of its own."""
    denied = {int(status) for status in re.findall(r"deny_status (\d+)", config)}
    told = re.findall(rf"^ *http-error status (\d+) {PROBLEM}", config, re.MULTILINE)
    return (BY_ITSELF | denied) - {int(status) for status, inside in told if status == inside}


def test_each_status_has_its_problem() -> None:
    assert without_problem(CONFIG) == set()


@pytest.mark.parametrize("status", sorted(BY_ITSELF | {413}))
def test_a_page_of_haproxy_is_found(status: int) -> None:
    lines = [line for line in CONFIG.splitlines() if f"http-error status {status} " not in line]
    assert without_problem("\n".join(lines)) == {status}
