"""How much is done: all of it, or with FAULTS=quick a few things of each kind."""

from __future__ import annotations

import os

QUICK = os.environ.get("FAULTS") == "quick"

STEADY_SECONDS = 5 if QUICK else 10
REDEPLOYS = 2 if QUICK else 20
# Kills at random moments, and of the control process.
KILLS = 3 if QUICK else 15
CONTROL_KILLS = 1 if QUICK else 2
