from __future__ import annotations

import ast

from classvm.app import setup_script
from hypothesis import given, strategies


def test_a_list_in_the_call() -> None:
    text = "import a\nsetup(name='a', install_requires=[\n 'flask<3',\n f(), 'b'])\n"
    found = setup_script.script("toolbox/setup.py", ast.parse(text))
    assert [(one.place, one.text) for one in found] == [
        ("toolbox/setup.py:3", "flask<3"),
        ("toolbox/setup.py:4", "b"),
    ]


def test_a_list_with_a_name() -> None:
    text = "needs = ['flask']\nsetup(install_requires=needs)\n"
    assert [one.text for one in setup_script.script("setup.py", ast.parse(text))] == ["flask"]


def test_a_list_that_is_worked_out_is_not_seen() -> None:
    text = "setup(install_requires=open('requirements.txt').read().split())\n"
    assert list(setup_script.script("setup.py", ast.parse(text))) == []


def test_a_configuration() -> None:
    text = "[options]\ninstall_requires =\n    flask<3\n    b  # why\n"
    found = setup_script.configuration("setup.cfg", text)
    assert [(one.place, one.text) for one in found] == [
        ("setup.cfg", "flask<3"),
        ("setup.cfg", "b"),
    ]


@given(text=strategies.text())
def test_any_configuration_is_read(text: str) -> None:
    list(setup_script.configuration("setup.cfg", f"[options]\n{text}"))
