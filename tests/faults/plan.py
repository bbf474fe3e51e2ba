"""How much is done: all of it, or with FAULTS=quick a few things of each kind."""

from __future__ import annotations

import os

import pytest

QUICK = os.environ.get("FAULTS") == "quick"
# What takes longer than `make test` may take for it; FAULTS=quick leaves it out, by its name.
slow = pytest.mark.skipif(QUICK, reason="left out by FAULTS=quick")

STEADY_SECONDS = 5 if QUICK else 20
REDEPLOYS = 2 if QUICK else 20
# Kills at random moments, and of the control process.
KILLS = 3 if QUICK else 15
CONTROL_KILLS = 1 if QUICK else 2
