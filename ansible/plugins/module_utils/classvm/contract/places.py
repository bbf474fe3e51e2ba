"""Find the line of a spec where something is promised."""

from __future__ import annotations

from typing import Any

from .libraries import SAFE_LOADER, yaml


class Places:
    """The lines of one spec; its text is read for the first question only.

    Only for a text that was read before: nothing here bounds what it may hold.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._root: Any = None

    def of(self, *keys: object) -> str:
        """Return the place of a key, such as "master.yml:35".

        Args:
            keys: the keys that lead there, such as "paths", "/hello", "get". Where one is missing
                (merged in from elsewhere, or behind a reference), the last one found counts.

        """
        node, line = self._document(), 0
        for key in keys:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            # Of a key that stands twice, YAML keeps the last.
            found = [pair for pair in pairs if pair[0].value == str(key)]
            if not found:
                break
            line = found[-1][0].start_mark.line + 1
            node = found[-1][1]
        return f"{self.file}:{line}" if line else self.file

    def _document(self) -> Any:  # noqa: ANN401 - PyYAML's own class
        if self._root is None:
            try:
                self._root = yaml.compose(self.text, SAFE_LOADER)
            except yaml.YAMLError:
                self._root = ()
        return self._root
