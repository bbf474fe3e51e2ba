"""The names of the files in the lab's layout of an app."""

from __future__ import annotations

DOCKERFILE = "Dockerfile"
SPEC = "master.yml"
REQUIREMENTS = "requirements.in"
LOCK = "requirements.txt"
