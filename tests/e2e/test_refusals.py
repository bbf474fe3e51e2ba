"""Deploys that are refused: with one clear message, and without touching the live release."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from classvm.output.reason import LONGEST_LINE
from e2e.machine import Run, common_defaults, docker, get, live, play, run

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.fixture
def refused() -> Iterator[Callable[..., None]]:
    """Return a check that a deploy was refused; at the end the service must be as before."""
    before = live()

    def check(deploy: Run, message: str, *, app_raises: bool = False) -> None:
        assert deploy.code != 0
        assert deploy.last_line.startswith("classvm: localhost failed: "), deploy.text
        assert re.search(message, deploy.last_line), deploy.text
        assert ("Traceback" in deploy.text) is app_raises
        assert len(deploy.last_line) <= LONGEST_LINE
        assert deploy.text.count(deploy.last_line) == 1

    yield check
    assert live()["Id"] == before["Id"]
    assert live()["State"]["StartedAt"] == before["State"]["StartedAt"]
    assert get("/e222/sum/1/4").strip() == "5"


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, which has to contain it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_container_holds_the_port(refused: Callable[[Run, str], None]) -> None:
    base = str(common_defaults()["base_image_name"])
    other = docker("run", "--detach", "--rm", "--publish", "80", base, "sleep", "300")
    try:
        port = docker("port", other, "80/tcp").splitlines()[0].rpartition(":")[2]
        name = docker("inspect", "--format", "{{.Name}}", other).lstrip("/")
        deploy = play("deploy", service_host_port=port)
    finally:
        docker("rm", "--force", other)
    refused(deploy, rf"Port {port} is busy: the container {name} publishes it")


def test_a_process_holds_the_port(refused: Callable[[Run, str], None]) -> None:
    anywhere = ("0.0.0.0", 0)
    with http.server.ThreadingHTTPServer(anywhere, http.server.SimpleHTTPRequestHandler) as it:
        thread = threading.Thread(target=it.serve_forever)
        thread.start()
        deploy = play("deploy", service_host_port=it.server_port)
        it.shutdown()
        thread.join()
    refused(deploy, rf"Port {it.server_port} is busy: \S+ \(process \d+\) listens on it")


def test_master_yml_is_not_yaml(app: Path, refused: Callable[[Run, str], None]) -> None:
    edit(app / "master.yml", "paths:", "paths: [")
    deploy = play("deploy", service_dir=str(app))
    refused(deploy, r"a comma or `\]` is missing .*\(master\.yml:\d+:\d+\)")


def test_master_yml_is_not_openapi(app: Path, refused: Callable[[Run, str], None]) -> None:
    edit(app / "master.yml", "paths:", "pathes:")
    refused(play("deploy", service_dir=str(app)), r"\(master\.yml:1:1\)\. Is `pathes` meant")


def test_a_handler_file_is_missing(app: Path, refused: Callable[[Run, str], None]) -> None:
    (app / "src/mult.py").unlink()
    refused(play("deploy", service_dir=str(app)), r"there is no src/mult\.py, which")


def test_a_handler_function_is_missing(app: Path, refused: Callable[[Run, str], None]) -> None:
    edit(app / "src/mult.py", "def get(", "def got(")
    refused(play("deploy", service_dir=str(app)), r"src/mult\.py has no function `get`")


def test_the_lock_was_edited_by_hand(app: Path, refused: Callable[[Run, str], None]) -> None:
    edit(app / "requirements.txt", "flask==2.2.5", "flask==2.2.4")
    refused(play("deploy", service_dir=str(app)), r"edited by hand.*make lock")


def test_a_handler_cannot_be_imported(app: Path, refused: Callable[[Run, str], None]) -> None:
    edit(app / "src/mult.py", "def get(", "import no_such_module\n\n\ndef get(")
    deploy = play("deploy", service_dir=str(app))
    refused(deploy, "image could not be built: .*no_such_module")


def test_an_answer_breaks_the_contract(app: Path, refused: Callable[[Run, str], None]) -> None:
    edit(app / "src/hello.py", 'return {"message":', 'return {"massage":')
    deploy = play("deploy", service_dir=str(app))
    refused(deploy, "breaks its contract: ")
    assert "/e222/hello" in deploy.text


def test_a_handler_raises(app: Path, refused: Callable[..., None]) -> None:
    edit(app / "src/hello.py", "    return {", '    raise ValueError("no luck")\n    return {')
    deploy = play("deploy", service_dir=str(app))
    why = r"GET /e222/hello: ValueError: no luck \(src/hello\.py:\d+\)"
    refused(deploy, why, app_raises=True)


def test_the_service_never_becomes_healthy(app: Path, refused: Callable[[Run, str], None]) -> None:
    edit(app / "Dockerfile", 'CMD ["gunicorn"]', 'CMD ["sleep", "1000"]')
    deploy = play("deploy", service_dir=str(app), service_health_timeout=3)
    refused(deploy, "refused: it was not healthy within 3 s")


def test_the_service_ends_at_once(app: Path, refused: Callable[[Run, str], None]) -> None:
    edit(app / "Dockerfile", 'CMD ["gunicorn"]', 'CMD ["sh", "-c", "echo last words; exit 7"]')
    deploy = play("deploy", service_dir=str(app))
    refused(deploy, "refused: it ended with exit code 7")
    assert "last words" in deploy.text


def fill(path: Path) -> None:
    """Write to a file until the disk is full."""
    with path.open("wb") as file:
        while True:
            file.write(bytes(1 << 16))


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a small file system of its own that is full."""
    image, folder = tmp_path / "disk.img", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    folder.mkdir()
    for words in (f"mkfs.ext4 -q {image}", f"mount -o loop {image} {folder}"):
        done = run(*words.split())
        assert done.code == 0, done.text
    with pytest.raises(OSError, match="No space left"):
        fill(folder / "fill")
    yield folder
    assert run("umount", str(folder)).code == 0


def test_the_disk_is_full(full_disk: Path, refused: Callable[[Run, str], None]) -> None:
    deploy = play("deploy", classvm_state_dir=str(full_disk / "state"))
    refused(deploy, rf"Disk full: {full_disk} has 0 MB free")


def test_settings_that_cannot_be_used(refused: Callable[[Run, str], None]) -> None:
    deploy = play("deploy", service_memori="1g", service_memory="lots", docker_users="student")
    refused(deploy, "Correct these settings: service_memori, docker_users, service_memory")
    assert "did you mean service_memory?" in deploy.text


def test_nothing_is_left_of_what_was_refused() -> None:
    listed = docker("ps", "--all", "--format", "{{.Names}}", "--filter", "label=classvm.service")
    assert listed.splitlines() == [f"classvm-{common_defaults()['service_name']}"]
