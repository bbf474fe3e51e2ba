"""The collection on this machine: its roles look at the engine that is there and change nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import collection
import pytest

PLAYBOOK = """
- name: See whether the engine is as the role wants it
  hosts: localhost
  connection: local
  gather_facts: false
  vars: {ansible_python_interpreter: /usr/bin/python3}
  roles: [classvm.kit.docker]
"""


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the collection and a playbook, and nothing else."""
    folder = tmp_path_factory.mktemp("user")
    archive = collection.build(collection.SOURCE, folder / "build")
    install = ["ansible-galaxy", "collection", "install", "--offline", "-p", ".", str(archive)]
    subprocess.run(install, cwd=folder, check=True, capture_output=True)
    (folder / "play.yml").write_text(PLAYBOOK)
    return folder


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the playbook in check mode."""
    return subprocess.run(
        ["ansible-playbook", "play.yml", "--inventory", "localhost,", "--check"],
        cwd=folder,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.usefixtures("deployed")
def test_the_role_of_the_engine_finds_a_deployed_machine_as_it_should_be(user: Path) -> None:
    done = check(user)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout


def test_an_unknown_role_fails(user: Path) -> None:
    (user / "play.yml").write_text(PLAYBOOK.replace("kit.docker", "kit.nope"))
    assert check(user).returncode != 0
