"""The parts of a fingerprint, apart from how it is made: a host only compares."""

from __future__ import annotations

from typing import NamedTuple


class Fingerprint(NamedTuple):
    """Digests of what decides how a provisioned host looks; as text, they are joined by "-".

    Attributes:
        roles: of the files of the roles, and of what they use.
        variables: of the values that the roles are given.
        program: of the host program.

    """

    roles: str = ""
    variables: str = ""
    program: str = ""

    @classmethod
    def parsed(cls, text: str) -> Fingerprint:
        """Return the fingerprint that a text holds; parts that it lacks are empty."""
        return cls(*text.split("-")[: len(cls._fields)])

    def __str__(self) -> str:
        """Return the text."""
        return "-".join(self)
