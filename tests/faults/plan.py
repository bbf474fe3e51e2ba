"""How much each test does, in full and with SCOPE=quick."""

from __future__ import annotations

from infra import scope

# How long the service is watched at rest.
REST_SECONDS = 5 if scope.QUICK else 20
REDEPLOYS = 2 if scope.QUICK else 20
# Kills at random moments, and of the control process.
KILLS = 3 if scope.QUICK else 15
CONTROL_KILLS = 1 if scope.QUICK else 2
