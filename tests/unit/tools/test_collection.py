"""The collection: the same bytes from the same tree, and of use from an empty folder."""

from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import collection
import pytest
import tree
import yaml

GALAXY = collection.SOURCE / "galaxy.yml"
ROLES = sorted(path.name for path in (tree.ROOT / "roles").iterdir())
SPEC = """
openapi: 3.0.3
info: {title: One greeting, version: "1"}
paths:
  /hello:
    get:
      operationId: hello
      responses:
        "200":
          description: A greeting
          content: {application/json: {schema: {type: string, enum: [hello]}}}
"""
PLAYBOOK = """
- name: Check a service against its contract
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Call every operation
      classvm.kit.classvm_contract:
        spec: spec.yml
        url: "{{ url }}"
"""


def files(archive: Path) -> dict[str, tarfile.TarInfo]:
    """Return the members of a collection, without what describes it."""
    with tarfile.open(archive) as tar:
        return {member.name: member for member in tar if not member.name.endswith(".json")}


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the collection of this tree."""
    return collection.build(collection.SOURCE, tmp_path_factory.mktemp("build"))


class User:
    """Somebody with Ansible and the collection in an empty folder, and with no clone of classvm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(folder),
            "ANSIBLE_HOME": str(folder / "home"),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command there."""
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )

    def play(self, playbook: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook on this machine."""
        (self.folder / "play.yml").write_text(playbook)
        return self.run("ansible-playbook", "play.yml", "--inventory", "localhost,", *options)


@pytest.fixture(scope="session")
def user(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> User:
    """Install the collection into an empty folder."""
    user = User(tmp_path_factory.mktemp("user"))
    install = ("ansible-galaxy", "collection", "install", "--offline", "-p", ".", str(archive))
    done = user.run(*install)
    assert done.returncode == 0, done.stderr
    return user


@pytest.fixture
def greeting(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a service that keeps SPEC; return its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        body = b'"hello"'

        def answer(self) -> None:
            known = self.path == "/hello"
            allowed = self.command == "GET"
            self.send_response((200 if allowed else 405) if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(self.body)))
            self.end_headers()
            self.wfile.write(self.body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - names of http.server

    # A proxy of this machine is not asked for a service on it.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


# --- What is built


def test_the_same_tree_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(collection.SOURCE, tmp_path / "copy", ignore=collection.LEFT_OUT)
    for path in copied.rglob("*"):
        os.utime(path, (1, 1))
    (copied / "roles/docker/__pycache__").mkdir()
    (copied / "roles/docker/__pycache__/x.pyc").write_bytes(b"x")
    again = collection.build(copied, tmp_path / "out")
    assert again.read_bytes() == archive.read_bytes()


def test_another_tree_gives_other_bytes(archive: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(collection.SOURCE, tmp_path / "copy", ignore=collection.LEFT_OUT)
    with (copied / "README.md").open("a") as readme:
        readme.write("x")
    assert collection.build(copied, tmp_path / "out").read_bytes() != archive.read_bytes()


def test_it_is_named_by_its_version(archive: Path) -> None:
    galaxy = yaml.safe_load(GALAXY.read_text())
    assert archive.name == f"classvm-kit-{galaxy['version']}.tar.gz"


def test_every_file_of_the_roles_and_plugins_is_in_it(archive: Path) -> None:
    kept = {
        name.removeprefix("ansible/")
        for name in tree.files()
        if name.startswith(("roles/", "ansible/plugins/"))
    }
    packed = files(archive)
    assert kept <= set(packed)
    others = {name for name in set(packed) - kept if packed[name].isfile()}
    assert others == {"CHANGELOG.md", "LICENSE", "README.md", "meta/runtime.yml"}


def test_a_collection_that_galaxy_refuses_is_not_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "galaxy.yml").write_text("namespace: classvm\nname: kit\n")
    monkeypatch.setattr(collection, "SOURCE", source)
    monkeypatch.setattr("sys.argv", ["collection.py", str(tmp_path / "out")])
    assert collection.main() == 1
    assert "version" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_the_version_has_one_home() -> None:
    version = re.escape(yaml.safe_load(GALAXY.read_text())["version"])
    homes = {
        f"{name}: {line}"
        for name in tree.files()
        if not name.startswith("service/")  # the lab's app has a version of its own
        for _, line in tree.hits(
            rf"(?i)version\W*{version}\b|\bkit-{version}", tree.code(tree.ROOT / name)
        )
    }
    assert homes == {f"{GALAXY.relative_to(tree.ROOT)}: version: {version.replace(chr(92), '')}"}


def test_the_version_of_ansible_is_that_of_the_lock() -> None:
    runtime = yaml.safe_load((collection.SOURCE / "meta/runtime.yml").read_text())
    lock = (tree.ROOT / "requirements.txt").read_text()
    (locked,) = re.findall(r"^ansible-core==(\d+\.\d+)", lock, re.MULTILINE)
    assert runtime["requires_ansible"] == f">={locked}.0"


# --- Its use from an empty folder


def test_a_playbook_of_ten_lines_checks_a_service(user: User, greeting: str) -> None:
    assert len(PLAYBOOK.strip().splitlines()) <= 10
    (user.folder / "spec.yml").write_text(SPEC)
    good = user.play(PLAYBOOK, "--extra-vars", f"url={greeting}")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "failed=0" in good.stdout
    (user.folder / "spec.yml").write_text(SPEC.replace("[hello]", "[goodbye]"))
    bad = user.play(PLAYBOOK, "--extra-vars", f"url={greeting}")
    assert bad.returncode == 2
    assert "The service breaks its contract: GET /" in bad.stdout + bad.stderr


def test_each_role_is_found_with_all_its_tasks(user: User) -> None:
    roles = [f"classvm.kit.{role}" for role in ROLES]
    done = user.play(yaml.safe_dump([{"hosts": "all", "roles": roles}]), "--syntax-check")
    assert done.returncode == 0, done.stderr


def test_the_playbook_of_the_readme_is_valid(user: User) -> None:
    readme = (collection.SOURCE / "README.md").read_text()
    (playbook,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    done = user.play(playbook, "--syntax-check")
    assert done.returncode == 0, done.stderr


def roles_of(playbook: str) -> set[str]:
    """Return the roles that a playbook names, without the name of the collection."""
    plays = yaml.safe_load(playbook)
    listed = {role for play in plays for role in play.get("roles", ())}
    imported = set(re.findall(r"(?:import|include)_role:\s+name: (\S+)", playbook))
    return {role.removeprefix("classvm.kit.") for role in listed | imported}


def test_the_playbook_of_the_readme_uses_every_role_of_a_deploy() -> None:
    readme = (collection.SOURCE / "README.md").read_text()
    (playbook,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    deploy = [
        (tree.ROOT / "ansible" / f"{name}.yml").read_text() for name in ("provision", "release")
    ]
    assert roles_of(playbook) == {role for text in deploy for role in roles_of(text)}


def test_a_missing_role_is_seen() -> None:
    listed = "- hosts: all\n  roles: [classvm.kit.docker]\n"
    assert roles_of(listed) == {"docker"}
    imported = "  tasks:\n    - import_role:\n        name: common\n"
    assert roles_of(listed + imported) == {"docker", "common"}


def test_the_commands_of_the_readme_work(user: User) -> None:
    readme = (collection.SOURCE / "README.md").read_text()
    commands = re.findall(r"`(ansible-doc [^`]+)`", readme)
    assert commands
    for command in commands:
        done = user.run(*command.split())
        assert (done.returncode, "classvm" in done.stdout) == (0, True), done.stderr


def test_a_role_that_is_not_there_is_not_found(user: User) -> None:
    play = "- name: Use a role\n  hosts: all\n  roles: [classvm.kit.nope]\n"
    done = user.play(play, "--syntax-check")
    assert done.returncode != 0
    assert "classvm.kit.nope" in done.stderr
