"""The main job: what a user sees after `make deploy`, and what Docker says of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from classvm import source
from machine import Run, docker, facts, get, live, play, ports

pytestmark = pytest.mark.usefixtures("deployed")

SIZE_LIMIT = 150_000_000  # bytes, the promise of the README


def test_a_dry_run_succeeds_before_the_first_deploy(dry_run: Run) -> None:
    assert dry_run.code == 0, dry_run.text


def test_the_last_line_says_what_is_up_and_where(deployed: Run) -> None:
    spec = source.load_spec(Path("service/master.yml"))
    operations = len(list(source.operation_ids(spec)))
    release = live()["Config"]["Labels"]["classvm.release"]
    assert re.fullmatch(
        rf"classvm: release {release} is up at http://localhost:{ports()['HOST_PORT']}/ "
        rf"\({operations} operations verified(, gap \d+\.\d s)?(, \d+ old images removed)?,"
        r" \d+ changed\)",
        deployed.last_line,
    )


def test_the_sum_of_1_and_4_is_5() -> None:
    assert json.loads(get("/e222/sum/1/4")) == 5


def test_docker_port_shows_the_mapping() -> None:
    shown = docker("port", live()["Name"].lstrip("/")).splitlines()
    assert f"{ports()['CONTAINER_PORT']}/tcp -> 0.0.0.0:{ports()['HOST_PORT']}" in shown


def test_inside_is_ubuntu_18_04() -> None:
    assert 'VERSION_ID="18.04"' in docker("exec", live()["Id"], "cat", "/etc/os-release")


def test_the_installed_packages_are_those_of_the_lock() -> None:
    list_them = (
        "import importlib_metadata as m;"
        "print('\\n'.join(d.metadata['Name'] + '==' + d.version for d in m.distributions()))"
    )
    installed = docker("exec", live()["Id"], "python", "-c", list_them).splitlines()
    lock = re.findall(
        r"^([\w.-]+==[\w.]+)", Path("service/requirements.txt").read_text(), re.MULTILINE
    )
    assert sorted(map(normal, installed)) == sorted(map(normal, lock))


def normal(pin: str) -> str:
    """Spell a name as PEP 503 does."""
    name, _, version = pin.partition("==")
    return re.sub(r"[-_.]+", "-", name).lower() + "==" + version


@pytest.mark.parametrize("program", ["pip", "pip3", "gcc", "cc", "make", "git", "curl"])
def test_the_image_holds_no_tools(program: str) -> None:
    with pytest.raises(AssertionError):
        docker("exec", live()["Id"], "sh", "-c", f"command -v {program}")


def test_the_image_is_small() -> None:
    assert int(docker("image", "inspect", "--format", "{{.Size}}", live()["Image"])) <= SIZE_LIMIT


def test_the_container_can_do_little() -> None:
    process = docker("exec", live()["Id"], "cat", "/proc/1/status")
    assert re.search(r"^Uid:\s+10001\b", process, re.MULTILINE)
    assert re.search(r"^CapEff:\s+0+$", process, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", process, re.MULTILINE)
    assert live()["HostConfig"]["ReadonlyRootfs"]
    assert live()["HostConfig"]["Memory"] > 0
    assert live()["HostConfig"]["PidsLimit"] > 0


def test_the_engine_bounds_the_logs() -> None:
    assert live()["HostConfig"]["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}


def test_a_second_deploy_changes_nothing() -> None:
    before = live()
    again = play("deploy")
    assert (again.code, again.changed) == (0, 0), again.text
    assert live()["Id"] == before["Id"]
    assert "0 changed)" in again.last_line


def test_a_dry_run_after_the_deploy_reports_no_change() -> None:
    dry = play("deploy", "--check")
    assert (dry.code, dry.changed) == (0, 0), dry.text


def test_one_changed_line_is_a_new_release(app: Path) -> None:
    before = live()
    handler = app / "src/hello.py"
    handler.write_text(handler.read_text().replace("Hello", "Good morning"))
    assert handler.read_text() != (Path("service/src/hello.py")).read_text()
    page = get("/e222/hello")

    changed = play("deploy", service_dir=str(app))

    assert changed.code == 0, changed.text
    assert live()["Id"] != before["Id"]
    assert live()["Config"]["Labels"] != before["Config"]["Labels"]
    assert get("/e222/hello") != page
    assert docker("image", "inspect", "--format", "{{.Id}}", before["Image"]) == before["Image"]


def test_going_back_builds_nothing() -> None:
    images = docker("image", "ls", "--quiet", f"classvm/{facts()['service_name']}")
    back = play("deploy")
    assert back.code == 0, back.text
    assert docker("image", "ls", "--quiet", f"classvm/{facts()['service_name']}") == images


def test_a_stopped_service_is_started_again() -> None:
    assert play("stop").code == 0
    assert "stopped" in play("status").last_line
    assert play("deploy").code == 0
    assert ": up, release" in play("status").last_line


def test_the_log_is_shown() -> None:
    get("/e222/hello")
    assert '"/e222/hello"' in play("logs", logs_lines=5).text
