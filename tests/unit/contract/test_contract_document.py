from __future__ import annotations

import json

import pytest
from classvm.contract import contract_document
from classvm.contract.contract_document import Contract, SpecText
from classvm.contract.document import InputError

SPECS = (SpecText("master.yml", "openapi: 3.0.3\n"), SpecText("a/b.yml", "é", "/e222"))


@pytest.mark.parametrize("mode", contract_document.MODES)
@pytest.mark.parametrize("specs", [(), SPECS[:1], SPECS])
def test_what_was_written_is_read(mode: str, specs: tuple[SpecText, ...]) -> None:
    assert contract_document.read(contract_document.write(mode, specs)) == Contract(mode, specs)


def test_the_text_is_as_documented() -> None:
    assert json.loads(contract_document.write("gate", SPECS[:1])) == {
        "mode": "gate",
        "specs": [{"file": "master.yml", "text": "openapi: 3.0.3\n", "base_path": None}],
    }


def test_a_mode_that_does_not_exist_is_not_written() -> None:
    with pytest.raises(ValueError, match="strict, gate, warn"):
        contract_document.write("lax", ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("{}", "'mode'"),
        ('{"mode": "gate"}', "'specs'"),
        ('{"mode": "gate", "specs": [{"file": "a"}]}', "'text'"),
        ('{"mode": "gate", "specs": [{"file": "a", "text": 1}]}', "are texts"),
        ('{"mode": "gate", "specs": [{"file": "a", "text": "", "base_path": 1}]}', "are texts"),
        ('{"mode": "lax", "specs": []}', "not one of strict, gate, warn: lax"),
        (" " * (contract_document.MAX_CONTRACT_BYTES + 1), "has more than"),
    ],
)
def test_what_is_not_a_contract_document_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        contract_document.read(text)
