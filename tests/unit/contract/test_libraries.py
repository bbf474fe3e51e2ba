from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from classvm.contract import libraries

PACKAGES = Path(libraries.__file__).parents[2]


@pytest.mark.parametrize("missing", ["yaml", "jsonschema"])
def test_a_missing_library_is_kept_as_a_reason(missing: str) -> None:
    """On a class VM neither has to be there: the check runs in the service image."""
    code = (
        f"import sys; sys.modules[{missing!r}] = None;"
        " from classvm.contract import archive, libraries; print(libraries.IMPORT_ERROR)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGES, capture_output=True, text=True, check=True
    )
    assert f"import of {missing} halted" in done.stdout


def test_both_libraries_are_here() -> None:
    assert libraries.IMPORT_ERROR == ""
    assert libraries.jsonschema
    assert libraries.yaml
