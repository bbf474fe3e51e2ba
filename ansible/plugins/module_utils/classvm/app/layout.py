"""The files that an app's folder holds."""

from __future__ import annotations

DOCKERFILE = "Dockerfile"
SPEC = "master.yml"
WANTED = "requirements.in"
LOCK = "requirements.txt"
