"""The older commit of this project, with which a host was provisioned and deployed to."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from infra.expected import ROOT, Finished

# What the commit lacks, which today's has: it changed most of what a deploy leaves on a host.
NEWER = "ansible/plugins/module_utils/classvm/program/__init__.py"
# In the environment: another commit, tag or branch.
OLDER = "OLDER"


class NoOlderCommitError(Exception):
    """The clone does not have the older commit."""


def revision(environment: Mapping[str, str] = os.environ, clone: Path = ROOT) -> str:
    """Return the commit that the environment names, or else the last one without a host program.

    Raises:
        NoOlderCommitError: the clone has no such commit, because it is shallow.

    """
    wanted = environment.get(OLDER) or f"{first_with(NEWER, clone)}^"
    found = git(clone, "rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}")
    if not found:
        raise NoOlderCommitError(
            f"This clone has no commit {wanted}: `git fetch --unshallow` brings the whole history,"
            f" {OLDER}=COMMIT names another one."
        )
    return found


def first_with(path: str, clone: Path = ROOT) -> str:
    """Return the first commit of a clone that has a file, "" without one."""
    added = git(clone, "log", "--diff-filter=A", "--format=%H", "HEAD", "--", path).split()
    return added[-1] if added else ""


def git(clone: Path, *words: str) -> str:
    """Return what git prints, "" where it fails."""
    done = subprocess.run(
        ["git", "-C", str(clone), *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def export(folder: Path, clone: Path = ROOT) -> str:
    """Write the tree of the older commit into a folder; return the commit.

    Raises:
        NoOlderCommitError: the clone has no such commit.

    """
    commit = revision(clone=clone)
    argv = ["git", "-C", str(clone), "archive", commit]
    packed = subprocess.run(argv, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return commit


def deploy(tree: Path, inventory: str, host: str, variables: Mapping[str, object]) -> Finished:
    """Run the main job of a tree on a host, with the variables that it knows."""
    argv = ["ansible-playbook", "ansible/deploy.yml", "--inventory", inventory, "--limit", host]
    argv += ["--extra-vars", json.dumps(variables)]
    # Molecule's lead to the plugins and roles of today's tree.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
    return subprocess.run(
        argv,
        cwd=tree,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
