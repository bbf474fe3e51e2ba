"""The names of a service's containers on a host."""

from __future__ import annotations

STOP_SECONDS = 3


def container_name(service: str) -> str:
    """Return the name of the container that serves."""
    return f"classvm-{service}"


def candidate_name(service: str) -> str:
    """Return the name of the container that is being tried; it is safe to remove at any time."""
    return f"{container_name(service)}-candidate"


def check_name(service: str) -> str:
    """Return the name of the container that calls the candidate; removed together with it."""
    return f"{container_name(service)}-check"


def previous_name(service: str) -> str:
    """Return the name of the container that served until a swap began, while it goes on."""
    return f"{container_name(service)}-previous"
