"""Tell, to those who only look, what becomes of a swap whose release serves already."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ..base import locks
from ..base.names import candidate_name, container_name
from . import history, redirect

# Of a host on which no swap is, or was, worth a word.
NOTHING: Dict[str, Any] = {"finishing": False, "taken_back": ""}


def read(service: str, state_dir: str) -> Dict[str, Any]:
    """Return what is added to a status, with the names of ``NOTHING``.

    Returns:
        "finishing": whether a process is at work that finishes a swap, whose release serves already.
        "taken_back": why the newest release had to give way again after clients had reached it, or "".

    Raises:
        ClassvmError: the state folder cannot be read.

    """
    return {
        "finishing": is_at_work(service, state_dir),
        "taken_back": taken_back(service, state_dir),
    }


def remarks(swap: Mapping[str, Any]) -> List[str]:
    """Return what a person should know of it, a phrase each."""
    found = []
    if swap["finishing"]:
        found.append("the swap is finished in the background")
    if swap["taken_back"]:
        found.append(f"{swap['taken_back']}; correct it, then `make deploy`")
    return found


def is_at_work(service: str, state_dir: str) -> bool:
    """Tell whether a process finishes a swap whose release serves already."""
    entry = history.intended(state_dir, service)
    return entry is not None and bool(entry.served) and locks.is_held(state_dir)


def is_cut_off(service: str, state_dir: str) -> bool:
    """Tell whether clients are led to a candidate, and nobody is at work who could end that."""
    # Asked again: who was at work may have ended meanwhile, in order.
    return (
        redirect.led_port(service, state_dir) is not None
        and not locks.is_held(state_dir)
        and redirect.led_port(service, state_dir) is not None
    )


def taken_back(service: str, state_dir: str) -> str:
    """Return why the newest release had to give way again after it had begun to serve, or ""."""
    last = next(reversed(history.read(state_dir, service)), None)
    if last is None or last.went_live or not last.served:
        return ""
    _, _, why = last.reason.partition(f"{last.release} was refused: ")
    return (
        f"release {last.release} was refused after clients had begun to reach it:"
        f" {why or last.reason}"
    )


def serving_name(service: str, state_dir: str) -> str:
    """Return the name of the container to which clients are led."""
    is_led = redirect.led_port(service, state_dir) is not None
    return candidate_name(service) if is_led else container_name(service)
