"""Names of services, and what derives from them."""

from __future__ import annotations

import pytest
from classvm.base import names
from classvm.base.errors import ClassvmError

DERIVED = (
    names.container_name,
    names.candidate_name,
    names.check_name,
    names.previous_name,
    lambda service: names.image_name(service, "3f2a91c"),
)


def test_what_derives_from_a_name() -> None:
    assert [derive("lab") for derive in DERIVED] == [
        "classvm-lab",
        "classvm-lab-candidate",
        "classvm-lab-check",
        "classvm-lab-previous",
        "classvm/lab:3f2a91c",
    ]


@pytest.mark.parametrize("service", ["lab", "lab2", "my-lab", "7", "a" * 40, "candidate"])
def test_a_good_name(service: str) -> None:
    assert names.require_service_name(service) == service


@pytest.mark.parametrize("derive", DERIVED)
@pytest.mark.parametrize(
    "service", ["", "Lab", "lab_1", "-lab", "lab-", "a--b", "a b", "../x", "lab\n", "ä", "a" * 41]
)
def test_a_bad_name_is_refused_wherever_it_enters(derive: object, service: str) -> None:
    with pytest.raises(ClassvmError, match="is not valid: it takes lower-case letters"):
        derive(service)  # type: ignore[operator] # each is a function


@pytest.mark.parametrize("service", ["lab-candidate", "lab-check", "lab-previous"])
def test_the_name_of_another_services_container_is_refused(service: str) -> None:
    """A deploy of `lab` removes classvm-lab-candidate, which would be this service's container."""
    with pytest.raises(ClassvmError, match="a container of the service 'lab' has it"):
        names.container_name(service)
