"""Refinements of how connexion checks requests."""

from __future__ import annotations

from typing import Any

from connexion.decorators.validation import ParameterValidator, RequestBodyValidator

from src import patterns


class ClearParameterValidator(ParameterValidator):  # type: ignore[misc] # connexion ships no types
    """Checks parameters, and explains a bad one in the words of ``master.yml``.

    connexion would quote the regular expression, and the whole schema with it.
    """

    def __init__(self, parameters: list[dict[str, Any]], *args: Any, **options: Any) -> None:  # noqa: ANN401 - connexion's
        super().__init__(patterns.translate(parameters), *args, **options)

    @staticmethod
    def validate_parameter(
        parameter_type: str,
        value: object,
        param: dict[str, Any],
        param_name: str | None = None,
    ) -> str | None:
        """Return what is wrong with ``value``, or None if nothing is."""
        error = ParameterValidator.validate_parameter(parameter_type, value, param, param_name)
        if error is None:
            return None
        subject = f"The {parameter_type} parameter {param['name']!r}"
        if "description" in param:
            return f"{subject} must be {param['description']}"
        return f"{subject} is wrong: {error.partition(chr(10))[0]}"


class StrictBodyValidator(RequestBodyValidator):  # type: ignore[misc] # connexion ships no types
    """Checks a body, with patterns that match the whole of a text."""

    def __init__(self, schema: dict[str, Any], *args: Any, **options: Any) -> None:  # noqa: ANN401 - connexion's
        super().__init__(patterns.translate(schema), *args, **options)


VALIDATORS = {"parameter": ClearParameterValidator, "body": StrictBodyValidator}
