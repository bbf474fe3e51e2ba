"""A spec of an app, read: what it promises, and where in its text."""

from __future__ import annotations

import dataclasses

from . import swagger2, templates
from .contract_document import SpecText
from .document import InputError, Node, parse_document, read_content
from .places import Places
from .references import check_references
from .spec import Operation, accept_spec, status_range


@dataclasses.dataclass(frozen=True)
class Spec:
    """A spec that was read.

    Attributes:
        document: as `spec.accept_spec` returns it.
        places: where in its text something stands.
        base_path: where its paths begin; None: where the spec itself says.

    """

    document: Node
    places: Places
    base_path: str | None = None

    def place(self, operation: Operation, status: int | None = None) -> str:
        """Return where the answer of a status is promised, such as "master.yml:35".

        Where none is promised, that of the operation.
        """
        keys = tuple(operation.keys)
        for key in (str(status), status_range(status), "default") if status else ():
            if key in operation.responses:
                return self.places.of(*keys, "responses", key)
        return self.places.of(*keys)


def read_strictly(given: SpecText) -> Spec:
    """Return a spec of OpenAPI 3.0 that owes the check all that it needs.

    Raises:
        InputError: it cannot be used.

    """
    document = accept_spec(parse_document(given.text.encode(), given.file), given.file)
    return Spec(document, Places(given.file, given.text), given.base_path)


def read_any(given: SpecText) -> Spec:
    """Return a spec of OpenAPI 3.0 or Swagger 2.0, which may be a template.

    Raises:
        InputError: it cannot be used.

    """
    text = templates.fill_in(given.text)
    if given.file.endswith(".json"):
        text = text.replace("\t", " ")  # JSON may be indented by tabs, YAML may not
    document = parse_document(text.encode(), given.file)
    try:
        if isinstance(document, dict) and swagger2.is_swagger2(document):
            check_references(document, document)
            document = swagger2.to_openapi3(document)
        accepted = accept_spec(document, given.file)
    except InputError as error:
        raise InputError(f"{given.file}: {error}") from error
    return Spec(accepted, Places(given.file, text), given.base_path)


def load(path: str) -> Spec:
    """Return the spec in a file, read strictly; messages name the file as ``path`` does.

    Raises:
        InputError: the file cannot be read, or used.

    """
    content = read_content(path)
    document = accept_spec(parse_document(content, path), path)
    return Spec(document, Places(path, content.decode("utf-8-sig")))
