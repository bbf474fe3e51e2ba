"""Each module does what its documentation says, as far as its options go."""

from __future__ import annotations

import base64
import functools
import re
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import pytest
import yaml
from classvm.app import pack
from classvm.base import command, docker, installed, locks
from classvm.base.edge import Edge
from classvm.base.errors import ClassvmError
from classvm.image import checker_image, image_labels, lock_compile, lock_store, service_image
from classvm.provision import freshness, guard, haproxy, host_program
from classvm.release import history
from plugin_loader import load_plugin
from small_program import program_of

if TYPE_CHECKING:
    from collections.abc import Callable

PLUGINS = Path(__file__).parents[3] / "ansible" / "plugins"
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
EACH_MODULE = pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
# What Ansible fills in for an option that says nothing.
DEFAULTS = {"type": "str", "required": False, "default": None, "choices": None, "elements": None}
# Options that an action plugin adds or takes away on the control node.
ACTION_OPTIONS: dict[str, set[str]] = {
    "classvm_contract": set(),
    "classvm_doctor": set(),
    "classvm_password": set(),
    "classvm_settings": set(),
    "classvm_log_info": set(),
    "classvm_maintenance": set(),
    "classvm_service": set(),
    "classvm_service_info": set(),
    "classvm_checker_image": {"folder"},
    "classvm_image": {"folder", "files", "host_port", "container_port", "known", "sent"},
    "classvm_provisioned": {"playbook"},
    "classvm_account_info": set(),
    "classvm_program": set(),
    "classvm_release": set(),
}
# The action plugin does all the work; the module's file holds its documentation.
WITHOUT_MODULE = {
    "classvm_contract",
    "classvm_log_info",
    "classvm_maintenance",
    "classvm_password",
    "classvm_release",
    "classvm_service",
    "classvm_service_info",
    "classvm_settings",
}


class Ended(BaseException):
    """The module has answered."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result)
        self.result = result


class Recorder:
    """Stands in for AnsibleModule: keeps how it was made, hands out the options."""

    params: ClassVar[dict[str, Any]] = {}
    check_mode = False
    _diff = False
    made: dict[str, Any]

    def __init__(self, **made: Any) -> None:
        type(self).made = made
        if not self.params:
            raise Ended({})

    def exit_json(self, **result: Any) -> NoReturn:
        raise Ended(result)

    def fail_json(self, **result: Any) -> NoReturn:
        raise Ended({"failed": True, **result})


def load(file: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import a module of ours; it answers to the test instead of to Ansible."""
    module = load_plugin("modules", file.stem)
    monkeypatch.setattr(module, "AnsibleModule", Recorder)
    return module


def made(file: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what a module hands to AnsibleModule, or what the action plugin in its place reads."""
    if file.stem in WITHOUT_MODULE:
        action = load_plugin("action", file.stem)
        dry = getattr(action.ActionModule, "_supports_check_mode", True)
        return {"argument_spec": action.ARGUMENTS, "supports_check_mode": dry}
    monkeypatch.setattr(Recorder, "params", {})
    with pytest.raises(Ended):
        load(file, monkeypatch).main()
    return Recorder.made


def documented(file: Path, what: str = "DOCUMENTATION") -> Any:
    found = re.search(rf'^{what} = r?"""\n(.*?)"""', file.read_text(), re.DOTALL | re.MULTILINE)
    assert found, f"{file.name} has no {what}"
    return yaml.safe_load(found[1])


def facts(option: dict[str, Any]) -> dict[str, Any]:
    """Return what both sides say about an option."""
    return {key: option.get(key, default) for key, default in DEFAULTS.items()}


@EACH_MODULE
def test_documentation_and_options_are_the_same(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = made(file, monkeypatch)["argument_spec"]
    options = documented(file)["options"]
    assert {name: facts(option) for name, option in options.items()} == {
        name: facts(option) for name, option in spec.items()
    }


def test_a_difference_would_be_seen() -> None:
    documented_option = {"type": "int", "default": 5, "description": "…"}
    assert facts(documented_option) == facts({"type": "int", "default": 5, "no_log": True})
    assert facts(documented_option) == facts({"type": "int", "default": 5.0})
    for change in ({"type": "float"}, {"default": 6}, {"choices": [5]}, {"required": True}):
        assert facts(documented_option) != facts({**documented_option, **change})


@EACH_MODULE
def test_each_module_has_a_dry_run(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made(file, monkeypatch)["supports_check_mode"] is True


@EACH_MODULE
def test_the_examples_set_options_that_exist(file: Path) -> None:
    documentation = documented(file)
    options = set(documentation["options"]) | ACTION_OPTIONS.get(file.stem, set())
    for task in documented(file, "EXAMPLES"):
        assert set(task["classvm.kit." + file.stem]) <= options


@EACH_MODULE
def test_the_examples_set_what_is_required(file: Path) -> None:
    added = {
        "classvm_image": {"source_digest", "contract_digest", "content"},
        "classvm_provisioned": {"fingerprint"},
    }
    required = {
        name for name, option in documented(file)["options"].items() if option.get("required")
    }
    for task in documented(file, "EXAMPLES"):
        assert required - added.get(file.stem, set()) <= set(task["classvm.kit." + file.stem])


@EACH_MODULE
def test_names_and_results_are_documented(file: Path) -> None:
    documentation = documented(file)
    assert documentation["module"] == file.stem
    assert documentation["short_description"]
    for key, value in documented(file, "RETURN").items():
        assert {"description", "returned", "type"} <= set(value), key


@EACH_MODULE
def test_secrets_are_not_logged(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, option in made(file, monkeypatch)["argument_spec"].items():
        assert option.get("no_log", False) == (name in {"secrets", "environment", "known"}), name


def test_every_action_plugin_has_its_module() -> None:
    # That one is for several modules: test_actions has which.
    actions = {file.stem for file in (PLUGINS / "action").glob("*.py")} - {"classvm_watched"}
    assert actions == set(ACTION_OPTIONS)
    assert actions <= {file.stem for file in MODULES}


# --- what they answer ---------------------------------------------------------------------------


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Offer ``call(name, check_mode=…, **options)``, which returns the module's answer."""
    monkeypatch.setattr(command, "use_usual_umask", lambda: None)

    def call(name: str, /, *, check_mode: bool = False, **options: object) -> dict[str, Any]:
        file = PLUGINS / "modules" / f"{name}.py"
        spec = made(file, monkeypatch)["argument_spec"]
        params = {option: given.get("default") for option, given in spec.items()}
        monkeypatch.setattr(Recorder, "params", {**params, **options})
        monkeypatch.setattr(Recorder, "check_mode", check_mode)
        with pytest.raises(Ended) as ended:
            load(file, monkeypatch).main()
        return dict(ended.value.result)

    return call


IMAGE = {
    "service": "lab",
    "base_image": "classvm/base:18.04",
    "source_digest": "5",
    "contract_digest": "6",
}
BASE = {"name": "b", "sources": ["pull"], "reference": "r@sha256:1", "keyring": "/k"}
STATE = {"fingerprint": "f1", "state_dir": "/", "base_image": "classvm/base:18.04"}


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("classvm_image", IMAGE),
        ("classvm_base_image", BASE),
        ("classvm_engine", {"settings": {"dns": []}}),
        ("classvm_provisioned", {**STATE, "state": "recorded"}),
        ("classvm_firewall", {"state": "guarded", "open_tcp": [11000], "rules": "x"}),
    ],
)
def test_a_dry_run_on_a_bare_host_announces_the_change(
    name: str,
    options: dict[str, Any],
    call: Callable[..., dict[str, Any]],
    program: Callable[..., Path],
    tmp_path: Path,
) -> None:
    if name == "classvm_firewall":
        (tmp_path / "bin" / "nft").symlink_to("/bin/false")
        listening = """echo 'LISTEN 0 128 *:22 *:* users:(("sshd",pid=1,fd=3))'"""
        program("ss", listening)
    answer = call(name, check_mode=True, **options)
    assert answer["changed"] is True
    assert "failed" not in answer


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("name", "options"),
    [("classvm_image", IMAGE), ("classvm_base_image", BASE)],
)
def test_a_host_without_an_engine_is_told_what_to_do(
    name: str, options: dict[str, Any], call: Callable[..., dict[str, Any]]
) -> None:
    answer = call(name, **options)
    assert answer["failed"] is True
    assert "make provision" in answer["msg"]


def test_the_context_is_gone_before_the_build_begins(
    call: Callable[..., dict[str, Any]], program: Callable[..., Path], tmp_path: Path
) -> None:
    """A build takes minutes: one that is interrupted would leave its archive behind."""
    context = tmp_path / "context.tar"
    context.write_bytes(b"tar")
    program(
        "docker",
        f"""case "$*" in
          version*) echo 29;; info*) echo '{{"DockerRootDir": "/"}}';; *--help) echo --secret;;
          *:18.04) echo '[{{"Id": "i", "Size": 1}}]';;
          build*) cat > {tmp_path}/seen; [ ! -e {context} ] && echo the archive was gone; exit 1;;
          *) echo No such image >&2; exit 1;;
        esac""",
    )
    answer = call("classvm_image", context=str(context), **IMAGE)
    assert (tmp_path / "seen").read_bytes() == b"tar"
    assert answer["msg"].startswith("The service image could not be built: the archive was gone")


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("is_here", "runs"), [(True, True), (False, True), (True, False)])
def test_the_base_image_is_removed_where_it_is(
    call: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    check_mode: bool,
    is_here: bool,
    runs: bool,
) -> None:
    told: list[tuple[str, ...]] = []
    image = docker.Image("i1", {}, 1)
    monkeypatch.setattr(docker.Docker, "engine_version", lambda _: "29.1.3" if runs else None)
    monkeypatch.setattr(docker.Docker, "image", lambda *_: image if is_here else None)
    monkeypatch.setattr(docker.Docker, "check", lambda _, *words: told.append(words))
    answer = call("classvm_base_image", check_mode=check_mode, state="absent", name="b")
    assert answer["changed"] is (is_here and runs)
    assert told == [("image", "rm", "b")] * (answer["changed"] and not check_mode)


def test_a_dry_run_with_the_base_image_in_place_changes_nothing(
    call: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker.Docker, "engine_version", lambda _: "29.1.3")
    monkeypatch.setattr(docker.Docker, "image", lambda *_: docker.Image("i1", {}, 1))
    answer = call("classvm_base_image", check_mode=True, **BASE)
    assert (answer["changed"], answer["source"], answer["id"]) == (False, "present", "i1")


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("is_here", [True, False])
def test_the_base_image_is_saved_once(
    call: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    check_mode: bool,
    is_here: bool,
) -> None:
    archive = tmp_path / "base.tar"
    if is_here:
        archive.touch()
    monkeypatch.setattr(
        docker.Docker, "check", lambda _, *words: Path(words[words.index("--output") + 1]).touch()
    )
    answer = call(
        "classvm_base_image", check_mode=check_mode, state="saved", name="b", archive=str(archive)
    )
    assert answer["changed"] is not is_here
    assert archive.exists() is (is_here or not check_mode)


@pytest.mark.parametrize("check_mode", [True, False])
def test_the_host_program_is_installed_and_removed(
    call: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    check_mode: bool,
) -> None:
    program, command, link = (str(tmp_path / "lib" / name) for name in ("classvm", "bin", "state"))
    files = installed.Files(program, command, link)
    for name in ("missing", "install", "present", "remove"):
        work = functools.partial(getattr(host_program, name), files=files)
        monkeypatch.setattr(host_program, name, work)
    sent = base64.b64encode(program_of(__main__="print(1)")).decode()
    options = {"program": sent, "state_dir": str(tmp_path)}
    for _ in range(2):
        answer = call("classvm_program", check_mode=check_mode, choices={"service": "a"}, **options)
    assert answer["changed"] is check_mode
    assert Path(program).exists() is not check_mode
    answer = call("classvm_program", check_mode=check_mode, state="absent")
    assert answer["changed"] is not check_mode
    assert not Path(program).exists()


@pytest.mark.usefixtures("program")
def test_the_engine_is_only_queried(call: Callable[..., dict[str, Any]]) -> None:
    answer = call("classvm_engine", state="queried")
    assert (answer["changed"], answer["version"]) == (False, "")


# Those that install programs, settings or images. What the other one writes has its own modes.
INSTALLING = [
    file.stem
    for file in MODULES
    if re.search(r"classvm\.(provision|lab)|base_image$", file.read_text(), re.MULTILINE)
    and file.stem != "classvm_provisioned"
]


@pytest.mark.parametrize("name", INSTALLING)
def test_what_is_installed_is_for_everybody_whatever_umask_root_has(
    name: str, call: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> None:
        raise Ended({"umask": "usual"})

    monkeypatch.setattr(command, "use_usual_umask", told)
    assert call(name, check_mode=True) == {"umask": "usual"}


def test_the_modules_that_install_are_found() -> None:
    assert {"classvm_engine", "classvm_packages", "classvm_base_image"} <= set(INSTALLING)


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize(
    ("name", "listed", "removal"),
    [
        (
            "classvm_containers",
            "ps",
            [("rm", "--force", "--volumes", "x1"), ("rm", "--force", "--volumes", "x2")],
        ),
        ("classvm_image", "image", [("image", "rm", "x1"), ("image", "rm", "x2")]),
    ],
)
def test_what_was_made_is_removed_where_an_engine_runs(  # noqa: PLR0913 - four of them are cases
    call: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    check_mode: bool,
    runs: bool,
    name: str,
    listed: str,
    removal: list[tuple[str, ...]],
) -> None:
    told: list[tuple[str, ...]] = []

    def check(_: docker.Docker, *words: str) -> str:
        told.append(words)
        if words[0] == "volume":
            return "classvm-lab-keep-d\nsomebodys\n"
        return "x1\nx2\n" if words[0] == listed and "rm" not in words else ""

    monkeypatch.setattr(docker.Docker, "engine_version", lambda _: "29.1.3" if runs else None)
    monkeypatch.setattr(docker.Docker, "check", check)
    monkeypatch.setattr(installed, "state_dir", lambda: "")
    options = {} if listed == "ps" else {"service": "lab"}
    answer = call(name, check_mode=check_mode, state="absent", **options)
    assert answer.pop("kept", []) == (["classvm-lab-keep-d"] if runs and listed == "ps" else [])
    assert answer == {"changed": runs, "removed": ["x1", "x2"] if runs else []}
    assert [words for words in told if "rm" in words] == (
        removal if runs and not check_mode else []
    )


def test_containers_are_removed_when_nobody_else_is_at_work(
    call: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A swap that was left to the background would make them anew."""
    busy: list[bool] = []

    def check(_: docker.Docker, *words: str) -> str:
        if words[0] == "rm":
            busy.append(locks.is_held(str(tmp_path)))
        return "x1\n" if words[0] == "ps" else ""

    monkeypatch.setattr(docker.Docker, "engine_version", lambda _: "29.1.3")
    monkeypatch.setattr(docker.Docker, "check", check)
    monkeypatch.setattr(installed, "state_dir", lambda: str(tmp_path))
    call("classvm_containers", state="absent")
    assert busy == [True]
    assert not locks.is_held(str(tmp_path))


def test_opening_a_port_that_is_open_changes_nothing(
    call: Callable[..., dict[str, Any]], program: Callable[..., Path]
) -> None:
    calls = program("ufw", "echo Status: active; echo 11000/tcp ALLOW Anywhere")
    answer = call("classvm_firewall", state="opened", open_tcp=[11000])
    assert answer["changed"] is False
    assert "allow" not in calls.read_text()


@pytest.mark.parametrize("check_mode", [True, False])
def test_opening_a_port_that_is_closed(
    check_mode: bool,
    call: Callable[..., dict[str, Any]],
    program: Callable[..., Path],
) -> None:
    calls = program("ufw", "echo Status: active")
    answer = call("classvm_firewall", check_mode=check_mode, state="opened", open_tcp=[11000])
    assert answer["changed"] is True
    assert ("allow 11000/tcp" in calls.read_text()) == (not check_mode)


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_guard_that_is_only_installed_is_removed(
    check_mode: bool, call: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "listing", lambda *_: "")
    monkeypatch.setattr(guard, "is_there", lambda: True)
    monkeypatch.setattr(guard, "remove", lambda: True)
    answer = call("classvm_firewall", check_mode=check_mode, state="absent")
    assert answer["changed"] is True


@pytest.mark.parametrize("check_mode", [True, False])
def test_packages_that_are_missing_are_installed(
    check_mode: bool, call: Callable[..., dict[str, Any]], program: Callable[..., Path]
) -> None:
    program("dpkg-query", 'case "$*" in *here) printf "installed 1" ;; esac')
    calls = program("apt-get")
    there = call("classvm_packages", check_mode=check_mode, names=["here"])
    assert (there, calls.exists()) == ({"changed": False, "missing": []}, False)
    answer = call("classvm_packages", check_mode=check_mode, names=["here", "absent"])
    assert answer == {"changed": True, "missing": ["absent"]}
    assert calls.exists() is not check_mode


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine have no files and settings of a provision, and no docker group."""
    monkeypatch.setattr(freshness, "digests", dict)
    monkeypatch.setattr(freshness, "GROUP", "no-such-group")
    monkeypatch.setattr(guard, "problem", lambda _: "")
    monkeypatch.setattr("classvm.provision.engine.problem", lambda _: "")


@pytest.mark.usefixtures("program", "bare")
def test_provisioned_tells_why_and_how(call: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    asked = {**STATE, "state_dir": str(tmp_path)}
    answer = call("classvm_provisioned", **asked)
    assert answer["changed"] is False
    assert answer["stale"] == "this host was never provisioned"
    assert answer["privilege"] in {"root", "none"}
    assert call("classvm_provisioned", **asked, state="recorded") == {"changed": True}
    assert call("classvm_provisioned", **asked)["stale"] == "Docker is not installed"


@pytest.mark.parametrize(
    ("words", "is_repaired"),
    [
        ({"state": "recorded"}, True),
        ({"state": "recorded", "check_mode": True}, False),
        ({"state": "queried"}, False),
    ],
    ids=["provisioned", "a dry run", "only looked at"],
)
@pytest.mark.usefixtures("program", "bare")
def test_a_provision_repairs_the_rights_of_the_state_folder(
    words: dict[str, Any],
    is_repaired: bool,
    call: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    repaired: list[str] = []
    monkeypatch.setattr(freshness, "repair_state", repaired.append)
    call("classvm_provisioned", **{**STATE, "state_dir": str(tmp_path), **words})
    assert repaired == [str(tmp_path)] * is_repaired


@pytest.mark.parametrize(("variable", "is_told"), [("tcp://elsewhere:2375", True), ("", False)])
@pytest.mark.usefixtures("program", "bare")
def test_settings_of_the_client_that_do_not_count_are_told(
    variable: str,
    is_told: bool,
    call: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONTEXT", "")
    monkeypatch.setenv("DOCKER_HOST", variable)
    answer = call("classvm_provisioned", **{**STATE, "state_dir": str(tmp_path)})
    assert answer["ignored"] == ["DOCKER_HOST"] * is_told


@pytest.fixture
def outside_docker_group(
    monkeypatch: pytest.MonkeyPatch,
    program: Callable[..., Path],
    tmp_path: Path,
) -> dict[str, str]:
    """Run as an account that the engine refuses; return the options for a provisioned host."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("os.getgroups", list)
    program("docker", "echo permission denied >&2; exit 1")
    (tmp_path / "provision.json").write_text('{"fingerprint": "f1"}')
    return {**STATE, "state_dir": str(tmp_path)}


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("sudo", "found"),
    [
        (0, ("the base image classvm/base:18.04 is missing", "")),
        (1, ("", "whether the engine is as it should be")),
    ],
    ids=["an admin", "an account without rights"],
)
def test_provisioned_asks_with_the_right_that_the_account_has(
    sudo: int,
    found: tuple[str, str],
    call: Callable[..., dict[str, Any]],
    program: Callable[..., Path],
    outside_docker_group: dict[str, str],
) -> None:
    program("sudo", f"exit {sudo}")
    answer = call("classvm_provisioned", **outside_docker_group)
    assert (answer["stale"], answer["unseen"]) == found


@pytest.mark.usefixtures("program", "bare")
def test_provisioned_compares_and_refuses_nothing(
    call: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    full = ClassvmError("Disk full")
    monkeypatch.setattr("classvm.base.host.require_space", lambda *_: pytest.fail(str(full)))
    (tmp_path / "host.json").write_text('{"service": "lab", "guarded": true, "open_tcp": [11000]}')
    asked = {**STATE, "state": "compared", "state_dir": str(tmp_path)}
    answer = call("classvm_provisioned", **asked, service="svc2")
    assert answer["problems"] == ["this host was never provisioned"]
    assert answer["guard"] == guard.MISSING
    assert set(documented(PLUGINS / "modules" / "classvm_provisioned.py", "RETURN")) >= (
        set(answer) - {"changed"}
    )


BASE_ONLY = """case "$*" in *:18.04*) echo '[{"Id": "i", "Size": 1}]';; esac"""


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("script", "known"),
    [
        (BASE_ONLY, {"base": docker.Image("", {}, 1).content, "built": {}, "contracts": []}),
        ("echo permission denied >&2; exit 1", {}),
    ],
)
def test_provisioned_tells_what_it_may_know_of_the_images(
    script: str,
    known: dict[str, object],
    call: Callable[..., dict[str, Any]],
    program: Callable[..., Path],
    tmp_path: Path,
) -> None:
    program("docker", script)
    (tmp_path / "provision.json").write_text('{"fingerprint": "f1"}')
    answer = call("classvm_provisioned", **{**STATE, "state_dir": str(tmp_path)})
    assert answer["stale"] == ""
    assert answer["images"] == known


@pytest.mark.parametrize(("service", "refused"), [("lab", False), ("svc2", True)])
def test_a_provision_for_a_second_service_is_refused(
    service: str,
    refused: bool,
    call: Callable[..., dict[str, Any]],
    program: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """It would close the port of the first one."""
    program("docker", 'case "$1" in ps) echo lab;; version) echo 29.1.3;; esac')
    (tmp_path / "host.json").write_text('{"service": "lab", "guarded": true, "open_tcp": [11000]}')
    answer = call("classvm_provisioned", **{**STATE, "state_dir": str(tmp_path)}, service=service)
    assert answer.get("failed", False) is refused
    assert ("has the service lab already" in answer.get("msg", "")) is refused


@pytest.fixture
def busy(
    monkeypatch: pytest.MonkeyPatch, program: Callable[..., Path], tmp_path: Path
) -> dict[str, str]:
    """Let a program listen on each port; return the options for other variables than before."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(freshness, "repair_state", lambda _: None)
    program("docker", BASE_ONLY)
    program("ss", """echo 'LISTEN 0 5 *:1 *:* users:(("python3",pid=4711,fd=3))'""")
    (tmp_path / "provision.json").write_text('{"fingerprint": "f1-v1"}')
    (tmp_path / "host.json").write_text('{"service": "lab", "guarded": true, "open_tcp": [11000]}')
    return {**STATE, "state_dir": str(tmp_path), "fingerprint": "f1-v2", "service": "lab"}


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("words", "sudo"),
    [({}, 0), ({"check_mode": True}, 0), ({"password_given": True}, 1)],
    ids=["an admin", "a dry run", "an admin's password"],
)
def test_a_provision_for_a_busy_port_is_refused(
    words: dict[str, Any],
    sudo: int,
    call: Callable[..., dict[str, Any]],
    program: Callable[..., Path],
    busy: dict[str, str],
) -> None:
    """Its guard would close the port of the live release before the release is refused."""
    program("sudo", f"exit {sudo}")
    answer = call("classvm_provisioned", **{**busy, "port": 8080, **words})
    assert answer.get("msg", "").startswith("Port 8080 is busy: python3 (process 4711) listens")


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    "words",
    [
        {"port": 11000, "password_given": True},
        {"port": 8080, "password_given": True, "fingerprint": "f1-v1"},
        {"port": 8080},
        {"port": 8080, "state": "recorded"},
        {"port": 8080, "state": "compared"},
        {"password_given": True},
    ],
    ids=["the same port", "current", "no rights", "recorded", "only looked at", "no port"],
)
def test_a_busy_port_is_left_to_the_release_where_nothing_is_provisioned_for_it(
    words: dict[str, Any],
    call: Callable[..., dict[str, Any]],
    program: Callable[..., Path],
    busy: dict[str, str],
) -> None:
    program("sudo", "exit 1")
    assert "msg" not in call("classvm_provisioned", **{**busy, **words})


@pytest.mark.usefixtures("program", "bare")
def test_a_closed_state_folder_is_a_reason_to_provision(
    call: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def closed(path: str) -> str:
        raise ClassvmError(f"{path} cannot be read (Permission denied).")

    monkeypatch.setattr("classvm.base.host.state.read", closed)
    monkeypatch.setattr(freshness, "state_problem", lambda _: "the group docker cannot use it")
    answer = call("classvm_provisioned", **{**STATE, "state_dir": str(tmp_path)}, service="lab")
    assert answer.get("msg") is None
    assert answer["stale"] == "the group docker cannot use it"


# --- classvm_image ------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [True, False])
def test_a_failed_build_gets_its_line(
    written: bool,
    call: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def fail(*_: object) -> None:
        raise ClassvmError("The service image could not be built: E: no such package\nmore")

    monkeypatch.setattr(docker.Docker, "engine_version", lambda _: "29.1.3")
    monkeypatch.setattr(docker.Docker, "image", lambda _, name: BASES.get(name))
    monkeypatch.setattr(docker.Docker, "data_root", lambda _: "/")
    monkeypatch.setattr(docker.Docker, "labels_of", lambda *_: {})
    monkeypatch.setattr(service_image, "build", fail)
    (tmp_path / "context").write_bytes(b"")
    state_dir = tmp_path if written else tmp_path / "absent"
    more = {"context": str(tmp_path / "context"), "state_dir": str(state_dir), "revision": "abc"}
    answer = call("classvm_image", **IMAGE, **more)
    assert answer["failed"] is True
    assert answer["msg"].startswith("The service image could not be built: E: no such package")
    assert ("cannot be written" in answer["msg"]) is not written
    if written:
        (line,) = history.read(str(tmp_path), "lab")
        assert (line.result, line.revision, len(line.release)) == ("refused", "abc", 7)
        assert line.reason == "The service image could not be built: E: no such package"


BASES = {"classvm/base:18.04": docker.Image("b", {}, 1)}


class Builds:
    """An engine that remembers what it was told to build, in the place of the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, state_dir: Path) -> None:
        self.labels: dict[str, dict[str, str]] = {}
        self.contexts: dict[str, bytes] = {}
        self.state_dir = state_dir
        monkeypatch.setattr(docker.Docker, "engine_version", lambda _: "29.1.3")
        monkeypatch.setattr(docker.Docker, "image", lambda _, name: BASES.get(name))
        monkeypatch.setattr(docker.Docker, "data_root", lambda _: "/")
        monkeypatch.setattr(docker.Docker, "labels_of", lambda *_: self.labels)
        monkeypatch.setattr(docker.Docker, "labels_of_images", lambda *_: self.locked())
        monkeypatch.setattr(service_image, "build", self.service)
        monkeypatch.setattr(checker_image, "build", self.checker)
        monkeypatch.setattr(lock_compile, "compile_lock", self.lock)

    def locked(self) -> dict[str, dict[str, str]]:
        return {name: one for name, one in self.labels.items() if image_labels.LABEL_LOCK in one}

    def service(self, _: object, recipe: service_image.Recipe, context: bytes, *__: object) -> None:
        self.contexts["service"] = context
        self.labels[recipe.image] = service_image.labels(recipe)

    def checker(self, _: object, recipe: checker_image.Recipe, context: bytes, *__: object) -> None:
        self.contexts["checker"] = context
        self.labels[recipe.image] = recipe.labels

    def lock(self, *_: object) -> str:
        self.contexts["lock"] = b""
        return "flask==1\n"

    def sent(self) -> dict[str, str]:
        """Return the options that name the contexts, freshly sent."""
        context, checker = self.state_dir / "context.tar", self.state_dir / "checker.tar"
        context.write_bytes(pack.Packed("d", (pack.File("a", 0o644, b"x"),)).archive)
        checker.write_bytes(b"tar")
        return {"context": str(context), "checker_context": str(checker)}


KIT = {**IMAGE, "kit": True, "lock_id_source": "7", "checker_digest": "8", "keep": ["/service/d"]}


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Builds:
    return Builds(monkeypatch, tmp_path)


def test_an_app_of_any_layout_is_built_with_a_lock_of_this_host(
    builds: Builds, call: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    options = {**KIT, "state_dir": str(tmp_path)}
    asked = call("classvm_image", **options)
    assert (asked["needs_context"], asked["needs_checker"], asked["lock"]) == (True, True, "")
    built = call("classvm_image", **options, **builds.sent())
    assert built["changed"] is True
    assert (built["needs_context"], built["needs_checker"]) == (False, False)
    assert built["lock"] == "flask==1\n"
    assert built["checker_image"] in builds.labels
    assert b"flask==1" in builds.contexts["service"]
    assert builds.contexts["checker"] == b"tar"
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [""]  # no context is left
    again = call("classvm_image", **options)
    assert (again["changed"], again["needs_context"], again["needs_checker"]) == (False,) * 3
    assert again["lock"] == "flask==1\n"


def test_another_line_of_code_resolves_nothing(
    builds: Builds, call: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    options = {**KIT, "state_dir": str(tmp_path)}
    call("classvm_image", **options, **builds.sent())
    assert "lock" in builds.contexts
    builds.contexts.clear()
    changed = call("classvm_image", **{**options, "source_digest": "55"}, **builds.sent())
    assert changed["changed"] is True
    assert sorted(builds.contexts) == ["service"]
    assert b"flask==1" in builds.contexts["service"]


def test_another_requirement_resolves_anew_and_old_locks_go(
    builds: Builds, call: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    options = {**KIT, "state_dir": str(tmp_path)}
    call("classvm_image", **options, **builds.sent())
    (first,) = lock_store.stored(str(tmp_path))
    other = {**options, "source_digest": "55", "lock_id_source": "77"}
    builds.contexts.clear()
    call("classvm_image", **other, **builds.sent())
    assert "lock" in builds.contexts
    assert len(lock_store.stored(str(tmp_path))) == 2  # each has its image
    builds.labels.clear()
    call("classvm_image", **other, **builds.sent())
    assert len(lock_store.stored(str(tmp_path))) == 1
    assert first not in lock_store.stored(str(tmp_path))


def test_a_checker_that_is_gone_is_built_alone(
    builds: Builds, call: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    options = {**KIT, "state_dir": str(tmp_path)}
    answer = call("classvm_image", **options, **builds.sent())
    del builds.labels[answer["checker_image"]]
    asked = call("classvm_image", **options)
    assert (asked["needs_context"], asked["needs_checker"]) == (False, True)
    dry = call("classvm_image", check_mode=True, **options)
    assert (dry["changed"], dry["needs_checker"]) == (True, False)
    builds.contexts.clear()
    again = call("classvm_image", **options, checker_context=builds.sent()["checker_context"])
    assert (again["changed"], again["needs_checker"]) == (True, False)
    assert sorted(builds.contexts) == ["checker"]


def test_a_sealed_app_brings_its_lock(
    builds: Builds, call: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    sent = builds.sent()
    content = Path(sent["context"]).read_bytes()
    answer = call("classvm_image", **IMAGE, **sent, state_dir=str(tmp_path))
    assert (answer["changed"], answer["checker_image"]) == (True, "")
    assert "lock" not in answer
    assert builds.contexts == {"service": content}
    assert lock_store.stored(str(tmp_path)) == []


def test_requirements_that_cannot_be_resolved_get_their_line(
    builds: Builds,
    call: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def fail(*_: object) -> None:
        raise ClassvmError("The packages of the app could not be resolved: no flask 99\nmore")

    monkeypatch.setattr(lock_compile, "compile_lock", fail)
    answer = call("classvm_image", **KIT, **builds.sent(), state_dir=str(tmp_path))
    assert answer["failed"] is True
    assert "service" not in builds.contexts
    (line,) = history.read(str(tmp_path), "lab")
    assert line.reason == "The packages of the app could not be resolved: no flask 99"


# --- classvm_edge ------------------------------------------------------------------------------

EDGE = {"port": 11000, "slots": {"blue": 1, "green": "2"}, "config": "c", "unit": "u"}


@pytest.mark.parametrize("missing", [[], ["reload"]])
@pytest.mark.parametrize("check_mode", [False, True])
def test_the_edge_is_put_there_when_something_is_missing(
    call: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    missing: list[str],
    check_mode: bool,
) -> None:
    seen: list[haproxy.Desired] = []
    monkeypatch.setattr(haproxy, "missing", lambda _: missing)
    monkeypatch.setattr(haproxy, "install", seen.append)
    words = {"strategy": "blue_green", "service": "lab", "state_dir": "/s", **EDGE}
    answer = call("classvm_edge", check_mode=check_mode, **words)
    assert answer == {"changed": bool(missing), "done": missing}
    assert len(seen) == (1 if missing and not check_mode else 0)
    assert all(one.edge.slots == {"blue": 1, "green": 2} for one in seen)


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("remains", "used", "strategy", "done"),
    [
        ([], False, "recreate", []),
        (["f"], False, "blue_green", ["removed"]),
        (["f"], True, "blue_green", ["left"]),
        (["f"], True, "recreate", []),
    ],
)
def test_the_edge_is_taken_away_when_nobody_is_behind_it(  # noqa: PLR0913, PLR0917 - a column each
    call: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    remains: list[str],
    used: bool,
    strategy: str,
    done: list[str],
    check_mode: bool,
) -> None:
    did: list[str] = []
    monkeypatch.setattr(haproxy, "remains", lambda *_: remains)
    monkeypatch.setattr(haproxy, "is_used", lambda *_: used)
    monkeypatch.setattr(Edge, "load", lambda _: Edge(strategy=strategy))
    monkeypatch.setattr(haproxy, "leave", lambda _: did.append("left"))
    monkeypatch.setattr(haproxy, "remove", lambda *_: did.append("removed"))
    words = {"strategy": "recreate", "service": "lab", "state_dir": "/s"}
    assert call("classvm_edge", check_mode=check_mode, **words)["changed"] is bool(done)
    assert did == ([] if check_mode else done)
