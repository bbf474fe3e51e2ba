"""What an admin is told of a slip in the inventory: Ansible itself runs, and gets no further."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
import tree
from plugin_loader import load_plugin

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = """\
all:
  children:
    section_a:
      hosts:
        vm-148-1:
    section_b:
      hosts:
        vm-148-2:
"""
WORDS = ["ansible-playbook", "ansible/status.yml", "--list-hosts"]


def play(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Have Ansible list the hosts of a playbook; a slip ends it before."""
    return subprocess.run(
        [*WORDS, "--inventory", str(folder), *options],
        cwd=tree.ROOT,
        env={"PATH": f"{tree.ROOT}/.venv/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment},
        capture_output=True,
        check=False,
        text=True,
    )


def written(folder: Path, **files: str) -> Path:
    """Write the files of an inventory; in their names "__" is a slash, and "_yml" is ".yml"."""
    for name, text in {"hosts_yml": HOSTS, **files}.items():
        file = folder / name.replace("__", "/").replace("_yml", ".yml").replace("_ini", ".ini")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "options", "told"),
    [
        ({"hosts_yml": HOSTS.replace("hosts:\n", "hosts\n", 1)}, [], "a colon is missing"),
        ({"hosts_yml": "all:\n  hots:\n    a:\n"}, [], "Is `hosts` meant?"),
        ({"hosts_yml": "[a]\nvm-1\n"}, [], "This is INI, in a file for YAML ("),
        ({"hosts_yml": "all:\n  hosts:\n    5:\n"}, [], "Host pattern 5 must be a string"),
        ({"more_ini": "class_vm:\n"}, [], "more.ini:1). Give the file a name that ends with .yml."),
        ({"hosts_yml": HOSTS.replace("section_a", "class_vm")}, [], "a group class_vm, and none"),
        ({"more_ini": "[a]\nvm-3 vm-4\n"}, [], "more.ini:2). A host has a line of its own"),
        ({"more_ini": "[a:children]\nb\n"}, [], "There is no group b ("),
        ({"more_ini": "[a\nvm-3\n"}, [], "more.ini:1). Write `]` at its end."),
        ({"group_vars__all_yml": "a: 'b\n"}, [], "all.yml:1). Close it."),
        ({"host_vars__vm-148-3_yml": "a: 1\n"}, [], "The inventory has no host vm-148-3, so"),
        ({}, ["-e", "@no.yml"], "no.yml cannot be read: [Errno 2] No such file or directory"),
        ({}, ["-e", "{a"], "-e '{a' cannot be read: "),
        ({}, ["--limit", "secton_a"], "Did you mean LIMIT=section_a?"),
        ({}, ["--limit", "section_a:&section_b"], "no host of the inventory is left by LIMIT="),
        ({}, ["--limit", "@/no/such/file"], "LIMIT=@/no/such/file cannot be used: "),
    ],
)
def test_a_slip_ends_the_run_with_one_line(
    files: dict[str, str], options: list[str], told: str, tmp_path: Path
) -> None:
    done = play(written(tmp_path, **files), *options)
    assert told in done.stdout
    assert done.stdout.startswith("classvm: ")
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (1, 1, "")


def test_a_program_is_told_in_json(tmp_path: Path) -> None:
    done = play(written(tmp_path), "--limit", "nobody", CLASSVM_FORMAT="json")
    assert "no host or group nobody" in json.loads(done.stdout)["error"]["cause"]


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ({}, []),
        ({}, ["--limit", "section_a,!vm-148-2,localhost"]),
        ({"group_vars__section_a_yml": "a: 1\n", "host_vars__vm-148-2_yml": "a: 1\n"}, []),
        ({"more_ini": "[a]\nvm-3 ansible_host=192.0.2.3\n[a:vars]\nx=1\n"}, []),
        ({"more": "vm-[5:9]\n"}, []),
    ],
)
def test_an_inventory_without_a_slip_is_taken(
    files: dict[str, str], options: list[str], tmp_path: Path
) -> None:
    done = play(written(tmp_path, **files), *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert "vm-148-1" in done.stdout


def test_variables_of_another_inventory_of_the_folder_are_nobodys_slip(tmp_path: Path) -> None:
    folder = written(tmp_path, group_vars__spring_yml="a: 1\n", spring_ini="[spring]\nvm-9\n")
    assert play(folder / "hosts.yml").returncode == 0
    (folder / "spring.ini").unlink()
    assert "no group spring" in play(folder / "hosts.yml").stdout


@pytest.mark.parametrize(
    ("limit", "told"), [("", ""), ("a", ""), ("ab,c", "no host or group ab, c, so nothing")]
)
def test_hosts_that_are_named_on_the_command_line(limit: str, told: str) -> None:
    words = [*WORDS, "--inventory", "a,b", *(["--limit", limit] if limit else [])]
    done = subprocess.run(words, cwd=tree.ROOT, capture_output=True, check=False, text=True)
    assert done.stderr == ""
    assert (told in done.stdout, done.returncode) == (True, 1 if told else 0)


@pytest.mark.parametrize(
    ("limit", "names"),
    [
        ("", []),
        ("a", ["a"]),
        ("a:b", ["a", "b"]),
        ("a,&b,!c", ["a", "b"]),
        ("@failed.txt", []),
        ("class_vms,localhost", ["class_vms"]),
    ],
)
def test_what_a_limit_names(limit: str, names: list[str]) -> None:
    assert load_plugin("plugin_utils", "runs").limited_to(limit) == names
