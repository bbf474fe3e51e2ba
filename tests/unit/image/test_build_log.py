"""What builds really say, by engines 20.10 and 29, shortened to their last lines."""

from __future__ import annotations

import pytest
from classvm.image import build_log

NO_VERSION = (
    "Could not find a version that satisfies the requirement nosuch==1 (from versions: none)"
)
EXPLAINED = "the package index has no `nosuch` for Python 3.7. Is the name right?"
PIP = f"""
#5 [2/2] RUN pip install -r requirements.txt
#5 sha256:870875a29deb0942725fafcc3cb0b5d90130410bbc0ac4ad7dd1272647880baf
#5 0.517 Collecting nosuch==1
#5 0.519 ERROR: {NO_VERSION}
#5 0.519 ERROR: No matching distribution found for nosuch==1
#5 ERROR: executor failed running [/bin/sh -c pip install -r requirements.txt]: exit code: 1
------
 > [2/2] RUN pip install -r requirements.txt:
------
executor failed running [/bin/sh -c pip install -r requirements.txt]: exit code: 1
"""
PIP_NEWER_ENGINE = f"""
#9 12.31 ERROR: {NO_VERSION}
#9 12.31 ERROR: No matching distribution found for nosuch==1
#9 ERROR: process "/bin/sh -c pip install" did not complete successfully: exit code: 1
------
 > [5/5] RUN pip install:
12.31 ERROR: {NO_VERSION}
12.31 ERROR: No matching distribution found for nosuch==1
------
Dockerfile:14
--------------------
  14 | >>> RUN pip install
--------------------
ERROR: failed to solve: process "/bin/sh -c pip install" did not complete successfully: exit
"""
INSTRUCTION = """
#2 DONE 0.2s
failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse \
error line 2: unknown instruction: ROM
"""
COPY = """
#5 [2/2] COPY nosuch /x
#5 ERROR: "/nosuch" not found: not found
------
 > [2/2] COPY nosuch /x:
------
failed to compute cache key: "/nosuch" not found: not found
"""
PYTHON = """
#5 1.020 Traceback (most recent call last):
#5 1.020   File "<string>", line 1, in <module>
#5 1.020 ModuleNotFoundError: No module named 'nosuch'
#5 ERROR: executor failed running [/bin/sh -c python3 -c 'import nosuch']: exit code: 1
------
"""
APT = """
#6 3.1 Reading package lists...
#6 3.2 E: Unable to locate package libnosuch
#6 ERROR: executor failed running [/bin/sh -c apt-get install libnosuch]: exit code: 100
"""


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        pytest.param(PIP, EXPLAINED, id="pip"),
        pytest.param(PIP_NEWER_ENGINE, EXPLAINED, id="pip, newer engine"),
        pytest.param(
            INSTRUCTION, "dockerfile parse error line 2: unknown instruction: ROM", id="Dockerfile"
        ),
        pytest.param(COPY, '"/nosuch" not found: not found', id="COPY"),
        pytest.param(PYTHON, "ModuleNotFoundError: No module named 'nosuch'", id="Python"),
        pytest.param(APT, "E: Unable to locate package libnosuch", id="apt"),
        pytest.param("step 1\nstep 2\n", "step 2", id="nothing known"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_the_line_that_names_the_cause(log: str, cause: str) -> None:
    assert build_log.cause(log) == cause


def test_a_long_line_is_cut() -> None:
    assert len(build_log.cause("ERROR: " + "x" * 1000)) == build_log.LINE_LENGTH
