"""What breaks a strict contract is in test_checker."""

from __future__ import annotations

from classvm.contract import spec_file, strict
from classvm.contract.spec import list_operations
from tiny_service import GET_SUM, SPEC, TIMEOUT, Service, a_sum


def test_a_failure_names_the_line_of_the_promise(service: Service) -> None:
    service.replies[GET_SUM] = a_sum("{}")
    spec = spec_file.load(str(SPEC))
    (failure,) = strict.check_spec(spec, service.url + "/e222", TIMEOUT).failures
    file, _, line = failure.place.rpartition(":")
    assert file == str(SPEC)
    assert SPEC.read_text().splitlines()[int(line) - 1].strip() == "200:"


def test_without_its_text_a_document_has_no_places(service: Service) -> None:
    service.replies[GET_SUM] = a_sum("{}")
    document = spec_file.load(str(SPEC)).document
    operation = list_operations(document)[0]
    found = strict.check_operation(document, operation, service.url + "/e222", TIMEOUT)
    assert [one.place for one in found] == ["", ""]
    assert not found[0].ok
