"""How much each test does, in full and with SCOPE=quick."""

from __future__ import annotations

from classvm.base.edge import BLUE_GREEN, RECREATE
from infra import scope

# How long the service is watched at rest.
REST_SECONDS = 5 if scope.QUICK else 20
# By strategy. With the first one, rules of nftables come and go with each release.
REDEPLOYS = {RECREATE: 3 if scope.QUICK else 100, BLUE_GREEN: 2 if scope.QUICK else 20}
# Kills at random moments, of the control process, and of what ends a swap in the background.
KILLS = 3 if scope.QUICK else 15
CONTROL_KILLS = 1 if scope.QUICK else 2
BACKGROUND_KILLS = 1 if scope.QUICK else 15
