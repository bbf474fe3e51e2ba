from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.base.errors import ClassvmError
from classvm.inventory import yaml_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("service_memory: 1g\n\tservice_pids: 3\n", "a tab, where YAML wants blanks (a.yml:2)"),
        ('service_memory: "1g\n', "the quote that opens here is never closed (a.yml:1). Close it."),
        ("docker_users: [ada\nservice_pids: 3\n", "(a.yml:2). Line 1 opens what has to be closed."),
        (
            "motd: Class: 2027\n",
            "the text of `motd` holds a colon (a.yml:1). Put the text in quotes",
        ),
        (
            "a: 1\nb: 2\na: 3\n",
            "a stands here and in line 1: only one of them would count (a.yml:3)",
        ),
        ("a:\n  - b: 1\n    b: 2\n", "b stands here and in line 2"),
        ("a:\n  b: {{ c }}\n", "begins with `{{` has to stand in quotes (a.yml:2). Write it so"),
        ("a: \x07\n", "This is not YAML: "),
    ],
)
def test_a_slip_is_told_in_a_line(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yml").write_text(text)
    with pytest.raises(ClassvmError) as error:
        yaml_file.compose(tmp_path / "a.yml")
    assert told in str(error.value)
    assert "a.yml" in error.value.place
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "service_memory: 1g\n",
        "\ufeffservice_memory: 1g\n",
        "secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3132\n",
        "a: &here {b: 1}\nc:\n  <<: *here\n",
    ],
)
def test_what_ansible_reads_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(text)
    assert yaml_file.compose(tmp_path / "a.yml") is not None


@pytest.mark.parametrize("text", ["", "# nothing\n", "$ANSIBLE_VAULT;1.1;AES256\n3132\n"])
def test_what_holds_nothing_that_can_be_read_here(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(text)
    assert yaml_file.compose(tmp_path / "a.yml") is None


def test_a_file_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(ClassvmError, match=r"not text in UTF-8 \(.*a.yml\). Save it as UTF-8"):
        yaml_file.compose(tmp_path / "a.yml")
    with pytest.raises(ClassvmError, match=r"cannot be read: No such file .*`ls -l "):
        yaml_file.compose(tmp_path / "gone.yml")
