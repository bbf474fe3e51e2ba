"""Names that several parts share: the group of class VMs, a service's images and containers, a folder in one."""

from __future__ import annotations

import re

from .errors import ClassvmError

# The group of an inventory whose hosts get the guard.
CLASS_VMS = "class_vms"
SERVICE_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_NAME = 40
# The containers of a service besides the live one; a service of such a name would collide with them.
CANDIDATE, CHECK, PREVIOUS = "-candidate", "-check", "-previous"
# The folder of the contract check's container that can be written to.
CHECK_FOLDER = "/run/contract"


def require_service_name(service: str) -> str:
    """Return the name of a service.

    Raises:
        ClassvmError: an image or a container cannot have that name, or another service's has it.

    """
    if not SERVICE_NAME.fullmatch(service) or len(service) > LONGEST_NAME:
        raise ClassvmError(
            f"The service name {service!r} is not valid: it takes lower-case letters, digits and single"
            f" hyphens between them, {LONGEST_NAME} characters at most. Correct service_name.",
        )
    if service.endswith((CANDIDATE, CHECK, PREVIOUS)):
        raise ClassvmError(
            f"The service name {service!r} is not valid: a container of the service"
            f" {service.rpartition('-')[0]!r} has it. Choose another service_name.",
        )
    return service


def image_name(service: str, release: str) -> str:
    """Return the name and tag of a release's image."""
    return f"classvm/{require_service_name(service)}:{release}"


def container_name(service: str) -> str:
    """Return the name of the live container."""
    return f"classvm-{require_service_name(service)}"


def candidate_name(service: str) -> str:
    """Return the name of the candidate's container; it is safe to remove at any time."""
    return container_name(service) + CANDIDATE


def check_name(service: str) -> str:
    """Return the name of the container that calls the candidate; removed together with it."""
    return container_name(service) + CHECK


def previous_name(service: str) -> str:
    """Return the name of the container that was live until a swap began, while the swap goes on."""
    return container_name(service) + PREVIOUS
