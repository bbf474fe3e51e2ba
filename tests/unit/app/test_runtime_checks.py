from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import runtime_checks
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("import getpass\nA = getpass.getuser()\n", ["CV080 a.py:2:5"]),
        ("import os\ndef f():\n    return os.getlogin()\n", ["CV080 a.py:3:12"]),
        ("A = account.getuser()\n", []),
        ("open('C:/data/a.csv')\n", ["CV084 a.py:1:6"]),
        ("open(r'C:\\Users\\me\\a.csv')\n", ["CV084 a.py:1:6"]),
        ("open('C:\\\\data\\\\a.csv')\n", ["CV084 a.py:1:6"]),
        (f"A = '/{'Users'}/me/a.csv'\n", ["CV084 a.py:1:5"]),
        ("A = 'a://b/c', 'C: /x', '/home', '/users/1/a'\n", []),
        ("M = Classifier().fit(x, y)\n", ["CV081 a.py:1:5"]),
        ("def train():\n    return Classifier().fit(x, y)\n", []),
        ("if __name__ == '__main__':\n    model.fit(x)\n", []),
        ("import time\ntime.sleep(8)\ntime.sleep(0.1)\n", ["CV081 a.py:2:1"]),
        ("from time import sleep\nsleep(8)\nrobot.sleep(8)\n", ["CV081 a.py:2:1"]),
    ],
)
def test_users_and_starts(text: str, codes: list[str], tmp_path: Path) -> None:
    assert found(tmp_path, text) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("while True:\n    pass\n", ["CV088 a.py:1:1"]),
        ("if x:\n    while 1:\n        print(1)\n", ["CV088 a.py:2:5"]),
        ("while True:\n    if x: break\n", []),
        ("while x:\n    pass\n", []),
        ("def f():\n    while True:\n        input()\n", []),
        ("if __name__ == '__main__':\n    while True: pass\n", []),
        ("A = int(input('port? '))\n", ["CV088 a.py:1:9"]),
        ("A = form.input()\n", []),
    ],
)
def test_a_start_that_does_not_end(text: str, codes: list[str], tmp_path: Path) -> None:
    assert found(tmp_path, text) == codes


def test_the_program_itself_may_be_a_loop(tmp_path: Path) -> None:
    assert found(tmp_path, "while True:\n    serve()\n", program="a.py") == []


@pytest.mark.parametrize(
    ("value", "change", "is_found"),
    [
        ("[]", "A.append(1)", True),
        ("{}", "A['b'] = 1", True),
        ("{}", "del A['b']", True),
        ("{}", "A['b'] += 1", True),
        ("defaultdict(list)", "A.update(b=1)", True),
        ("[1]", "return A[0]", False),
        ("[]", "A = []; A.append(1)", False),
        ("Context()", "A.add(1)", False),
        ("''", "A.append(1)", False),
    ],
)
def test_data_in_memory(value: str, change: str, is_found: bool, tmp_path: Path) -> None:
    text = f"A = {value}\ndef f():\n    {change}\n"
    assert found(tmp_path, text) == (["CV082 a.py:1:1"] if is_found else [])
    assert found(tmp_path, f"A: object = {value}\ndef f():\n    {change}\n") == (
        ["CV082 a.py:1:1"] if is_found else []
    )


def test_a_parameter_of_the_same_name_is_another_list(tmp_path: Path) -> None:
    assert found(tmp_path, "A = []\ndef f(A):\n    A.append(1)\n") == []


def found(folder: Path, text: str, program: str = "server.py") -> list[str]:
    (folder / "a.py").write_text(text)
    findings = runtime_checks.check(AppFolder(folder), ["a.py"], program)
    return [f"{one.code} {one.place}" for one in findings]
