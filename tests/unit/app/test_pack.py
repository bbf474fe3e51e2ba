from __future__ import annotations

import io
import os
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.app import checks, layout, lock, openapi, pack, revision
from classvm.base import command
from classvm.base.errors import ClassvmError

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = Path(__file__).parents[3] / "service"

SPEC = """
openapi: 3.0.0
info: {title: Lab, version: "1"}
paths:
  /sum:
    get:
      operationId: src.sum.get
      responses: {"200": {description: The sum}}
"""
WANTED = "connexion\n"
LOCK = "connexion==2.14.2 --hash=sha256:1\n"


def check(folder: Path) -> None:
    """Ask all that a deploy asks of an app's folder before it builds."""
    checks.check_files(folder)
    openapi.check_contract(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a service that is complete and in order."""
    folder = tmp_path / "service"
    (folder / "src").mkdir(parents=True)
    write(folder, layout.DOCKERFILE, "FROM scratch\n")
    write(folder, layout.SPEC, SPEC)
    write(folder, layout.WANTED, WANTED)
    write(folder, layout.LOCK, f"{lock.seal(WANTED, LOCK)}\n{LOCK}")
    write(folder, "src/sum.py", "def get():\n    return {}\n")
    return folder


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def append(folder: Path, name: str, text: str) -> None:
    write(folder, name, (folder / name).read_text(encoding="utf-8") + text)


# --- what is refused, and its good twin ---------------------------------------------------------


def test_a_service_in_order_is_accepted(folder: Path) -> None:
    check(folder)


def test_the_labs_own_service_is_accepted() -> None:
    spec = openapi.load_spec(SERVICE / layout.SPEC)
    assert list(openapi.operation_ids(spec))
    openapi.check_handlers(SERVICE, spec)


@pytest.mark.parametrize("name", [layout.DOCKERFILE, layout.SPEC, layout.WANTED, layout.LOCK])
def test_a_missing_file_is_named(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(ClassvmError, match=f"is not a service: it has no {name}"):
        check(folder)
    (folder / name).mkdir()
    with pytest.raises(ClassvmError, match=f"it has no {name}"):
        check(folder)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("openapi: [", "is not valid YAML: .*line"),
        ("", "is not valid OpenAPI 3"),
        ("- a list", "is not valid OpenAPI 3"),
        ("info: {}", "is not valid OpenAPI 3"),
        (SPEC.replace("description", "descriptoin"), "is not valid OpenAPI 3: .*descriptoin"),
        (SPEC.replace("title: Lab, ", ""), "is not valid OpenAPI 3: .title. is a required"),
        (SPEC.replace("operationId: src.sum.get", ""), "GET /sum has no operationId"),
    ],
)
def test_a_broken_contract_is_refused(text: str, reason: str, folder: Path) -> None:
    write(folder, layout.SPEC, text)
    with pytest.raises(ClassvmError, match=rf"(?s)master\.yml.* {reason}"):
        check(folder)


def test_a_contract_that_was_valid_is_not_validated_again(folder: Path) -> None:
    write(folder, layout.SPEC, SPEC.replace("title: Lab, ", ""))
    digest = openapi.contract_digest(folder)
    openapi.check_contract(folder, [digest])
    append(folder, layout.SPEC, "\n")
    with pytest.raises(ClassvmError, match="is not valid OpenAPI 3"):
        openapi.check_contract(folder, [digest])


def test_its_handlers_are_looked_at_all_the_same(folder: Path) -> None:
    (folder / "src/sum.py").unlink()
    with pytest.raises(ClassvmError, match="names the handler"):
        openapi.check_contract(folder, [openapi.contract_digest(folder)])


def test_a_contract_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / layout.SPEC).write_bytes(b"\xff\xfe\0")
    with pytest.raises(ClassvmError, match=r"master\.yml is not valid"):
        check(folder)


def test_each_method_is_an_operation() -> None:
    item = {method: {"operationId": f"src.a.{method}"} for method in openapi.METHODS}
    spec = {"paths": {"/a": {**item, "parameters": []}, "/b": {}}}
    assert list(openapi.operation_ids(spec)) == [f"src.a.{method}" for method in openapi.METHODS]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", r"sum\.py has no function `get`"),
        ("def put(): ...\n", r"sum\.py has no function `get`"),
        ("class A:\n    def get(self): ...\n", r"sum\.py has no function `get`"),
        ("x = 1\ndef get(:\n", r"sum\.py, line 2: invalid syntax"),
        ("\0", r"sum\.py.*null bytes"),
    ],
)
def test_a_broken_handler_is_named(code: str, reason: str, folder: Path) -> None:
    write(folder, "src/sum.py", code)
    with pytest.raises(ClassvmError, match=reason):
        check(folder)


def test_a_handler_in_an_old_encoding_is_named(folder: Path) -> None:
    (folder / "src/sum.py").write_bytes(b"def get():\n    return 'caf\xe9'\n")
    with pytest.raises(ClassvmError, match=r"sum\.py, line \d: .*utf-8"):
        check(folder)
    (folder / "src/sum.py").write_bytes(b"# coding: latin-1\ndef get():\n    return 'caf\xe9'\n")
    check(folder)


def test_a_handler_may_be_a_class(folder: Path) -> None:
    write(folder, "src/sum.py", "class get: ...\n")
    check(folder)


def test_a_missing_handler_file_is_named(folder: Path) -> None:
    (folder / "src/sum.py").unlink()
    missing = r"names the handler src\.sum\.get, but .*src/sum\.py is missing"
    with pytest.raises(ClassvmError, match=missing):
        check(folder)


def test_handlers_are_not_executed(folder: Path) -> None:
    append(folder, "src/sum.py", "import no_such_package\nraise SystemExit\n")
    check(folder)


@pytest.mark.parametrize(
    ("name", "reason"),
    [(layout.LOCK, "edited by hand"), (layout.WANTED, "edited by hand")],
)
def test_an_edited_lock_or_wish_is_refused(name: str, reason: str, folder: Path) -> None:
    append(folder, name, "flask\n")
    with pytest.raises(ClassvmError, match=f"{reason}.* run `make lock`"):
        check(folder)


def test_a_lock_that_make_lock_did_not_write_is_refused(folder: Path) -> None:
    write(folder, layout.LOCK, LOCK)
    with pytest.raises(ClassvmError, match="was not made by `make lock`: run it, then deploy"):
        check(folder)


def test_a_seal_of_something_else_is_refused(folder: Path) -> None:
    write(folder, layout.LOCK, f"{lock.LOCK_SEAL}{'0' * 64}\n{LOCK}")
    with pytest.raises(ClassvmError, match="edited by hand"):
        check(folder)


def test_a_checkout_with_windows_line_ends_is_accepted(folder: Path) -> None:
    for name in (layout.WANTED, layout.LOCK):
        file = folder / name
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    check(folder)


# --- packing ---------------------------------------------------------------------------------


def members(packed: pack.Packed) -> dict[str, int]:
    """Return the mode of each packed file."""
    with tarfile.open(fileobj=io.BytesIO(packed.archive)) as archive:
        return {member.name: member.mode for member in archive.getmembers()}


@pytest.fixture
def ignoring(folder: Path) -> Path:
    """Return the service with a .dockerignore like the lab's: only what is named goes in."""
    write(folder, ".dockerignore", "# only these\n\n*\n!master.yml\n!src/*.py\n")
    return folder


def test_the_same_content_gives_the_same_bytes_anywhere(folder: Path, tmp_path: Path) -> None:
    first = pack.pack(folder)
    copy = tmp_path / "elsewhere"
    shutil.copytree(folder, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    (copy / "master.yml").chmod(0o600)
    assert pack.pack(copy) == first


def test_everything_is_packed_without_a_dockerignore(folder: Path) -> None:
    assert set(members(pack.pack(folder))) == {
        "Dockerfile",
        "master.yml",
        "requirements.in",
        "requirements.txt",
        "src/sum.py",
    }


def test_dockerignore_is_respected(ignoring: Path) -> None:
    assert "requirements.in" not in members(pack.pack(ignoring))
    assert {"Dockerfile", "master.yml", "src/sum.py"} <= set(members(pack.pack(ignoring)))


def test_a_pattern_that_says_nothing_is_refused(folder: Path) -> None:
    write(folder, ".dockerignore", "[z-a]\n")
    with pytest.raises(ClassvmError, match=r"\.dockerignore has a pattern that says nothing"):
        pack.pack(folder)


def test_the_archive_holds_the_files(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(pack.pack(folder).archive)) as archive:
        archive.extractall(folder / "out", filter="data")
    assert (folder / "out" / "src" / "sum.py").read_bytes() == (folder / "src/sum.py").read_bytes()


def junk(folder: Path) -> None:
    (folder / "__pycache__").mkdir()
    (folder / "src" / "__pycache__").mkdir()
    write(folder, "src/__pycache__/sum.pyc", "junk")
    write(folder, "notes.txt", "junk")
    (folder / ".venv").mkdir()
    write(folder, ".venv/python", "junk")


def test_junk_does_not_change_the_digest(ignoring: Path) -> None:
    before = pack.pack(ignoring)
    junk(ignoring)
    assert pack.pack(ignoring) == before


def test_without_a_dockerignore_it_would(folder: Path) -> None:
    before = pack.pack(folder)
    junk(folder)
    assert pack.pack(folder).digest != before.digest


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: append(folder, "src/sum.py", "\n"),
        lambda folder: (folder / "src/sum.py").chmod(0o755),
        lambda folder: (folder / "src/sum.py").rename(folder / "src/total.py"),
        lambda folder: write(folder, "src/more.py", ""),
        lambda folder: (folder / "src/sum.py").unlink(),
        lambda folder: append(folder, "Dockerfile", "\n"),
    ],
    ids=["one byte", "execute bit", "name", "one more", "one less", "Dockerfile"],
)
def test_what_counts_changes_the_digest(change: Callable[[Path], object], ignoring: Path) -> None:
    before = pack.pack(ignoring)
    change(ignoring)
    after = pack.pack(ignoring)
    assert after.digest != before.digest
    assert after.archive != before.archive


def test_modes_are_reduced_to_the_execute_bit(folder: Path) -> None:
    (folder / "src/sum.py").chmod(0o700)
    (folder / "master.yml").chmod(0o600)
    modes = members(pack.pack(folder))
    assert (modes["src/sum.py"], modes["master.yml"]) == (0o755, 0o644)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the control node")
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "inside.txt").write_text("ours")
    (folder / "alias.txt").symlink_to("inside.txt")
    assert pack.pack(folder).digest
    (folder / "leak.txt").symlink_to("../secret")
    with pytest.raises(ClassvmError, match=r"leak\.txt is a link out of the service's folder"):
        pack.pack(folder)


# --- the revision ---------------------------------------------------------------------------------


def git(folder: Path, *words: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    return command.check(["git", "-C", str(folder), *author, *words]).strip()


@pytest.fixture
def repository(folder: Path) -> Path:
    """Return the service in a repository, with another folder beside it."""
    (folder.parent / "beside").write_text("1\n")
    git(folder.parent, "init", "--quiet")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "--quiet", "--message", "one")
    return folder


def test_the_revision_is_that_of_git(repository: Path) -> None:
    assert revision.revision(repository) == git(repository, "rev-parse", "HEAD")[:7]


def test_a_change_beside_the_service_is_none(repository: Path) -> None:
    (repository.parent / "beside").write_text("2\n")
    assert "-" not in revision.revision(repository)


@pytest.mark.parametrize("name", [layout.SPEC, "src/new.py"])
def test_a_changed_and_a_new_file_make_it_dirty(name: str, repository: Path) -> None:
    write(repository, name, "# changed\n")
    assert revision.revision(repository) == git(repository, "rev-parse", "HEAD")[:7] + "-dirty"


def test_there_is_no_revision_without_a_commit(folder: Path) -> None:
    assert revision.revision(folder) == ""
    git(folder, "init", "--quiet")
    assert revision.revision(folder) == ""


def test_there_is_no_revision_without_git(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert revision.revision(repository) == ""
