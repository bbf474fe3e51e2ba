"""The main job: what a user sees after `make deploy`, and what Docker reports."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from classvm.app import openapi
from e2e.machine import ROOT, Run, common_defaults, docker, get, live, play, ports, run

pytestmark = pytest.mark.usefixtures("deployed")

LONGEST_SILENCE = 10  # seconds, where no terminal is
SIZE_LIMIT = 150_000_000  # bytes, the promise of the README


def told(run: Run) -> list[str]:
    """Return the lines that a person reads, without those that a step still goes on."""
    lines = run.text.splitlines()
    return [line for line in lines if not re.match(r"\d\d:\d\d:\d\d still: ", line)]


def test_a_dry_run_succeeds_before_the_first_deploy(dry_run: Run) -> None:
    assert dry_run.code == 0, dry_run.text


def test_the_last_line_says_what_is_up_and_where(deployed: Run) -> None:
    spec = openapi.load_spec(Path("service/master.yml"))
    operations = len(list(openapi.operation_ids(spec)))
    release = live()["Config"]["Labels"]["classvm.release"]
    assert re.fullmatch(
        rf"classvm: release {release} is up at http://localhost:{ports()['HOST_PORT']}/ "
        rf"\({operations} operations verified(, gap \d+\.\d s)?(, the former release [^,]+)?"
        r"(, \d+ old images removed)?, \d+ changed\)",
        deployed.last_line,
    )


def test_a_first_deploy_is_at_most_twelve_lines_and_its_closing_line(deployed: Run) -> None:
    assert len(told(deployed)) <= 12 + 1, deployed.text


def test_a_first_deploy_is_never_silent_for_long(deployed: Run) -> None:
    assert deployed.silence <= LONGEST_SILENCE, deployed.text


def test_the_sum_of_1_and_4_is_5() -> None:
    assert json.loads(get("/e222/sum/1/4")) == 5


def test_the_verification_finds_nothing_wrong() -> None:
    verified = run("python", "tools/verify.py", "--quick")
    assert verified.code == 0, verified.text
    assert "all good" in verified.last_line


def test_the_image_is_small() -> None:
    assert int(docker("image", "inspect", "--format", "{{.Size}}", live()["Image"])) <= SIZE_LIMIT


def test_a_second_deploy_changes_nothing() -> None:
    before = live()
    again = play("deploy")
    assert (again.code, again.changed) == (0, 0), again.text
    assert live()["Id"] == before["Id"]
    assert "0 changed)" in again.last_line
    assert len(told(again)) <= 6 + 1, again.text


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
    assert len(told(changed)) <= 6 + 1, changed.text
    assert changed.silence <= LONGEST_SILENCE, changed.text


def test_going_back_builds_nothing() -> None:
    name = f"classvm/{common_defaults()['service_name']}"
    images = docker("image", "ls", "--quiet", name)
    back = play("deploy")
    assert back.code == 0, back.text
    assert docker("image", "ls", "--quiet", name) == images


def test_a_stopped_service_is_started_again() -> None:
    assert play("stop").code == 0
    assert "stopped" in play("status").last_line
    assert play("deploy").code == 0
    assert ": up, release" in play("status").last_line


def test_the_log_is_shown_without_what_the_kit_causes() -> None:
    get("/e222/hello")
    shown = play("logs", logs_lines=5).text
    assert '"/e222/hello"' in shown
    assert "classvm-contract" not in shown


def test_the_status_is_what_was_asked_and_nothing_else() -> None:
    (line,) = play("status").text.splitlines()
    assert re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", line)


def test_a_program_gets_the_status_as_json() -> None:
    done = run("make", "--no-print-directory", "status", "FORMAT=json")
    told = json.loads(done.text)
    jsonschema.validate(told, json.loads((ROOT / "docs/json.schema.json").read_text()))
    host = told["hosts"]["localhost"]
    assert (host["state"], host["answers"], host["provision"]) == ("up", True, [])
