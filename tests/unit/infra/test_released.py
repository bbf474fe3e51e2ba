"""What an earlier release was made of, as its host knows it."""

from __future__ import annotations

import hashlib
import json

from classvm.app import contents
from classvm.image import image_labels
from infra import released
from infra.expected import Facts

SPEC = "openapi: 3.0.0\n"
MADE_OF = contents.describe({"server.py": "0123456789abcdef"}, {"Flask": "2.2.5"})
LABELS = {
    image_labels.LABEL_CONTENT: MADE_OF,
    image_labels.LABEL_CONTRACT: hashlib.sha256(SPEC.encode()).hexdigest(),
}
EARLIER = released.Released("r1", "sha256:1", LABELS, SPEC)


def test_files_and_packages_are_those_of_its_label() -> None:
    assert EARLIER.files == {"server.py": released.short("0123456789abcdef")}
    assert EARLIER.packages == {"Flask": "2.2.5"}
    assert released.Released("r1", "", {}).packages == {}


def test_its_spec_is_the_contract_where_the_label_says_so() -> None:
    assert EARLIER.is_sealed
    assert not released.Released("r1", "", LABELS, "another").is_sealed
    assert not released.Released("r1", "", LABELS).is_sealed


def test_it_is_handed_on_as_json() -> None:
    text = released.to_json({"a": EARLIER})
    assert json.loads(text)["a"]["release"] == "r1"
    assert released.from_json(text) == {"a": EARLIER}


def test_a_host_with_an_earlier_release_is_compared_with_that() -> None:
    facts = Facts("a", {"service_dir": "/no/such"}, EARLIER)
    assert facts.is_sealed
    assert facts.packages == {"flask": "2.2.5"}
    assert facts.spec.read_text(encoding="utf-8") == SPEC
