"""One home for each fact: no second copy of a port, a name or a path stands in any code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import doctor
import pytest
import tree
from classvm.image import base_image
from classvm.provision import guard

SETTINGS = "roles/common/defaults/main.yml"
SETTINGS_SPECS = "roles/common/meta/argument_specs.yml"
PORTS_FILE = "service/ports.env"
CONTRACT = "service/master.yml"
METHODS = {"get", "post", "put", "patch", "delete"}
HIGHEST_PORT = 65535

# Unit tests give the code its values themselves, and compare command lines as exact text: another
# number would do as well. That the code has no number of its own is what this file shows. The apps
# of tests/apps hold the numbers that students write.
PACKAGE = tree.ROOT / "ansible/plugins/module_utils/classvm"
MIRRORS = (*(path.parent.name for path in PACKAGE.glob("*/__init__.py")), "fakes", "plugins")
EVERYWHERE_ALLOWED = ("tests/apps/", *(f"tests/unit/{name}/" for name in MIRRORS))


@dataclass(frozen=True)
class Fact:
    """A literal with one home; `allowed` says by file, or folder, why another copy may stand."""

    value: str
    home: str
    allowed: dict[str, str] = field(default_factory=dict)

    @property
    def pattern(self) -> str:
        """The value as a word of its own."""
        return rf"(?<![\w.]){re.escape(self.value)}(?!\w|-[a-z])"


def copies(fact: Fact, root: Path, files: list[str]) -> list[str]:
    """Return where a fact stands in code beside its home, and what is allowed in vain."""
    found, used = [], set()
    for name in files:
        lines = list(tree.hits(fact.pattern, tree.code(root / name)))
        excuse = next((place for place in fact.allowed if name.startswith(place)), None)
        if name == fact.home and not lines:
            found.append(f"{name} is not the home of {fact.value}")
        if lines and excuse:
            used.add(excuse)
        elif name != fact.home and not name.startswith(EVERYWHERE_ALLOWED):
            found += [f"{name}:{number}: {line}" for number, line in lines]
    found += [f"{place} is allowed in vain" for place in fact.allowed.keys() - used]
    return found


def ports(text: str) -> dict[str, int]:
    """Return the values of ports.env by name.

    Raises:
        ValueError: a line is neither a comment nor a port.

    """
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([A-Z_]+)=([1-9][0-9]{0,4})", line)
            if match is None or int(match[2]) > HIGHEST_PORT:
                raise ValueError(f"{line!r} is no port")
            found[match[1]] = int(match[2])
    return found


def facts() -> dict[str, Any]:
    """Return the settings that several roles share."""
    return dict(tree.read_yaml(tree.ROOT / SETTINGS))


def text(name: str) -> str:
    """Return the code of one of our files."""
    return tree.code(tree.ROOT / name)


PORTS = ports(tree.read(tree.ROOT / PORTS_FILE))
SPEC = tree.read_yaml(tree.ROOT / CONTRACT)
BASE_PATH = SPEC["servers"][0]["url"]

FACTS = {
    "host port": Fact(
        str(PORTS["HOST_PORT"]),
        PORTS_FILE,
        {
            # Runs in a container, with nothing else of ours beside it; its messages give an
            # example of a URL: test_examples_of_urls_have_the_host_port.
            "ansible/plugins/module_utils/classvm/contract/spec.py": "examples",
            "ansible/plugins/module_utils/classvm/contract/command_line.py": "examples",
            # An app without a ports.env: test_an_app_without_ports_gets_those_of_the_lab.
            SETTINGS: "default",
            SETTINGS_SPECS: "default",
        },
    ),
    "container port": Fact(
        str(PORTS["CONTAINER_PORT"]),
        PORTS_FILE,
        # Docker's EXPOSE reads no file: test_the_dockerfile_exposes_the_container_port.
        # An app without a ports.env: test_an_app_without_ports_gets_those_of_the_lab.
        {"service/Dockerfile": "EXPOSE", SETTINGS: "default", SETTINGS_SPECS: "default"},
    ),
    "base image": Fact(
        facts()["base_image_name"],
        SETTINGS,
        {
            # Equal to the defaults: test_the_defaults_are_those_of_the_specs.
            SETTINGS_SPECS: "default",
            # The service is complete on its own: test_the_service_uses_the_same_base_image.
            "service/Makefile": "BASE_IMAGE",
        },
    ),
    "state folder": Fact(
        facts()["classvm_state_dir"],
        SETTINGS,
        {
            # Equal to the defaults: test_the_defaults_are_those_of_the_specs.
            SETTINGS_SPECS: "default",
            # Runs before there is anything that reads YAML:
            # test_the_doctor_looks_at_the_state_folder.
            "tools/doctor.py": "STATE_DIR",
        },
    ),
    "base path": Fact(
        BASE_PATH,
        CONTRACT,
        {
            # Runs every ten seconds and shall not parse YAML: test_the_paths_are_of_the_contract.
            "service/healthcheck.py": "health",
            # Call the service as a user would: test_the_paths_are_of_the_contract.
            "tests/e2e/": "calls",
            "tools/bench.py": "calls",
        },
    ),
    "service image": Fact(
        re.findall(r"^IMAGE +\?= (.+)$", text("service/Makefile"), re.MULTILINE)[0],
        "service/Makefile",
    ),
    "reference": Fact(
        tree.read_yaml(tree.ROOT / "roles/base_image/defaults/main.yml")["base_image_reference"],
        "roles/base_image/defaults/main.yml",
        {
            # Equal to the defaults: test_the_defaults_are_those_of_the_specs.
            "roles/base_image/meta/argument_specs.yml": "default",
            # The service is complete on its own: test_the_service_pulls_the_same_content.
            "service/Makefile": "PINNED",
        },
    ),
    "folder of the guard": Fact(
        str(guard.FOLDER),
        "ansible/plugins/module_utils/classvm/provision/guard.py",
        {
            # systemd reads no variables: test_the_unit_loads_the_guard.
            "roles/firewall/files/etc/systemd/system/": "ExecStart and its kin",
            # The same: test_the_drop_in_gives_haproxy_the_file_that_is_installed.
            "roles/edge/templates/etc/systemd/system/": "CONFIG",
            # test_files_on_the_host_are_in_the_folder_that_the_role_common_removes
            "roles/base_image/tasks/": "keyring and archive",
            "roles/common/tasks/absent.yml": "removal",
            "roles/common/meta/argument_specs.yml": "description",
        },
    ),
}


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_has_one_home(name: str) -> None:
    assert copies(FACTS[name], tree.ROOT, tree.files()) == []


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("file", ["a.yml", "a.py", "Makefile", "a.sh", "a.json", "tests/a.py"])
def test_a_second_copy_is_found(name: str, file: str, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "home").write_text(f"X={FACTS[name].value}\n")
    (tmp_path / file).write_text(f'COPY = "{FACTS[name].value}"\n')
    fact = Fact(FACTS[name].value, "home")
    assert len(copies(fact, tmp_path, ["home", file])) == 1


def test_prose_may_name_a_fact(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("X=4711\n")
    (tmp_path / "a.md").write_text("Open port 4711.\n")
    (tmp_path / "a.yml").write_text("port: '{{ x }}'  # 4711\n")
    assert copies(Fact("4711", "home"), tmp_path, ["a.md", "a.yml", "home"]) == []


def test_another_number_is_no_copy(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("a: [14711, 47110, 0.4711, a4711, 4711-a]\n")
    assert copies(Fact("4711", "home"), tmp_path, ["a.yml"]) == []


def test_what_is_allowed_in_vain_is_found(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("X=4711\n")
    (tmp_path / "a.yml").write_text("a: 1\n")
    fact = Fact("4711", "home", {"a.yml": "once"})
    assert copies(fact, tmp_path, ["a.yml", "home"]) == ["a.yml is allowed in vain"]


def test_a_home_without_its_fact_is_found(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("X=1\n")
    assert copies(Fact("4711", "home"), tmp_path, ["home"]) == ["home is not the home of 4711"]


# --- The ports


def test_the_ports_are_two_different_ones() -> None:
    assert PORTS.keys() == {"CONTAINER_PORT", "HOST_PORT"}
    assert PORTS["CONTAINER_PORT"] != PORTS["HOST_PORT"]
    # Below 1024 the container would need root.
    assert PORTS["CONTAINER_PORT"] >= 1024


@pytest.mark.parametrize("line", ["A=0", "A=65536", "A=x", "A=", "A = 1", "A=1 # why", "A=-1"])
def test_a_bad_port_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no port"):
        ports(line)


# --- The copies that are allowed, and what holds them equal


def fallback_ports(settings: dict[str, Any]) -> dict[str, int]:
    """Return the ports of an app without a ports.env, by their names in that file."""
    lookups = [
        re.search(r"'([A-Z_]+_PORT)'.* default=(\d+)\)", str(text)) for text in settings.values()
    ]
    return {found[1]: int(found[2]) for found in lookups if found}


def test_an_app_without_ports_gets_those_of_the_lab() -> None:
    assert fallback_ports(facts()) == PORTS


def test_another_fallback_is_seen() -> None:
    setting = "{{ lookup('ini', 'A_PORT', file=x, default=4711) | int }}"
    assert fallback_ports({"a": setting, "b": 1, "c": "A_PORT"}) == {"A_PORT": 4711}


def exposed(dockerfile: str) -> list[str]:
    """Return the ports of EXPOSE."""
    return re.findall(r"^EXPOSE (.+)$", dockerfile, re.MULTILINE)


def test_the_dockerfile_exposes_the_container_port() -> None:
    assert exposed(text("service/Dockerfile")) == [str(PORTS["CONTAINER_PORT"])]


def test_another_exposed_port_is_seen() -> None:
    assert exposed("FROM a\nEXPOSE 1\nEXPOSE 2 3\n") == ["1", "2 3"]


def test_examples_of_urls_have_the_host_port() -> None:
    folder = tree.ROOT / "ansible/plugins/module_utils/classvm/contract"
    code = "".join(path.read_text() for path in folder.glob("*.py"))
    examples = re.findall(r"http://localhost:(\d+)", code)
    assert set(examples) == {str(PORTS["HOST_PORT"])}
    assert len(examples) == len(list(re.finditer(FACTS["host port"].pattern, code)))


def test_the_doctor_looks_at_the_state_folder() -> None:
    assert str(doctor.STATE_DIR) == facts()["classvm_state_dir"]


def bases(code: str) -> set[str]:
    """Return every image name with a tag that some code bears."""
    return set(re.findall(r"\b(?:[a-z]+/)?[a-z]+:\d\d\.\d\d\b", code))


def test_the_service_uses_the_same_base_image() -> None:
    pulled, _, _ = FACTS["reference"].value.partition("@")
    assert bases(text("service/Makefile")) == {facts()["base_image_name"], pulled}
    assert bases(text("service/Dockerfile")) == {pulled}
    assert facts()["base_image_name"].endswith(f":{base_image.UBUNTU_VERSION}")
    assert pulled.endswith(f":{base_image.UBUNTU_VERSION}")


def test_another_base_image_is_seen() -> None:
    assert bases("ARG BASE_IMAGE=ubuntu:20.04") == {"ubuntu:20.04"}


def pinned(makefile: str) -> list[str]:
    """Return what the service's Makefile pulls where classvm's own base image is absent."""
    return re.findall(r"^PINNED := (.+)$", makefile, re.MULTILINE)


def test_the_service_pulls_the_same_content() -> None:
    makefile = text("service/Makefile")
    assert pinned(makefile) == [FACTS["reference"].value]
    assert re.findall(r"\|\| echo (\S+)\)", makefile) == ["$(PINNED)"]


def test_another_reference_is_seen() -> None:
    assert pinned("A := b\nPINNED := a:1@sha256:0\n") == ["a:1@sha256:0"]


def unknown_paths(code: str, spec: dict[str, Any]) -> list[str]:
    """Return the paths below the base path that are in some code but not in the contract."""
    base = re.escape(spec["servers"][0]["url"])
    known = [
        re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(path))
        for path, item in spec["paths"].items()
        if item.keys() & METHODS
    ]
    found = re.findall(rf"{base}([\w/.{{}}-]*)", code)
    return [path for path in found if not any(re.fullmatch(one, path) for one in known)]


CALLERS = [
    name
    for name in tree.files()
    if name.endswith(".py") and name.startswith(tuple(FACTS["base path"].allowed))
]


@pytest.mark.parametrize("name", CALLERS)
def test_the_paths_are_of_the_contract(name: str) -> None:
    assert unknown_paths(text(name), SPEC) == []


def test_the_health_check_asks_one_path() -> None:
    assert len(re.findall(FACTS["base path"].pattern, text("service/healthcheck.py"))) == 1


@pytest.mark.parametrize("path", ["/nope", "/sum/1", "/sum/1/2/3", "", "/healthy"])
def test_an_unknown_path_is_found(path: str) -> None:
    assert unknown_paths(f'get("{BASE_PATH}{path}")', SPEC) == [path]


# --- Files on the host

UNIT_FILE = "roles/firewall/files/etc/systemd/system/classvm-guard.service"
DROP_IN = "roles/firewall/files/etc/systemd/system/nftables.service.d/classvm-guard.conf"
FIREWALL_FILES = tree.ROOT / "roles/firewall/files"
HOST_PATH = r"/(?:etc|var|opt|usr|srv)/[\w/.-]+"


def values(unit: str, key: str) -> list[str]:
    """Return the values of a key in a unit file."""
    return re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)


def test_the_unit_loads_the_guard() -> None:
    unit = text(UNIT_FILE)
    rules = str(guard.Files().rules)
    assert [line.split()[-1] for line in values(unit, "ExecStart")] == [rules]
    assert values(unit, "ConditionPathExists") == [rules]
    # Each command that flushes the ruleset loads the guard, too. The name is a pattern.
    pattern = f"{rules[:-1]}[{rules[-1]}]"
    for key in ("ExecStart", "ExecReload", "ExecStop"):
        reset, command = values(text(DROP_IN), key)
        assert (reset, command.endswith(f'; include "{pattern}"\'')) == ("", True)
    # The file in the role mirrors the file on the host.
    assert (tree.ROOT / f"roles/firewall/files{rules}").is_file()


def links(unit_file: str, unit: str) -> set[str]:
    """Return the files by which systemd knows a unit that is enabled."""
    folder, _, name = unit_file.rpartition("/")
    return {unit_file} | {f"{folder}/{by}.wants/{name}" for by in values(unit, "WantedBy")}


def test_the_role_firewall_removes_what_it_installs_and_enables() -> None:
    known = tree.read_yaml(tree.ROOT / "roles/firewall/vars/main.yml")
    folder = "/etc/systemd/system/"
    units = [folder + name for name in known["__firewall_units"]]
    in_role = sorted(
        f"/{path.relative_to(FIREWALL_FILES)}"
        for path in (FIREWALL_FILES / "etc/systemd").rglob("*")
        if path.is_file()
    )
    assert sorted(units) == in_role
    removed = {*units, *(folder + name for name in known["__firewall_links"])}
    enabled = {link for unit in units for link in links(unit, text(f"roles/firewall/files{unit}"))}
    assert removed == enabled


def test_every_link_of_a_unit_is_seen() -> None:
    unit = "[Install]\nWantedBy=a.target\nWantedBy=b.service\n"
    assert links("/x/c.service", unit) == {
        "/x/c.service",
        "/x/a.target.wants/c.service",
        "/x/b.service.wants/c.service",
    }


def test_files_on_the_host_are_in_the_folder_that_the_role_common_removes() -> None:
    (task,) = tree.read_yaml(tree.ROOT / "roles/common/tasks/absent.yml")
    assert task["loop"] == ["{{ classvm_state_dir }}", str(guard.FOLDER)]
    tasks = (tree.ROOT / "roles/base_image/tasks").glob("*.yml")
    written = {path for task in tasks for path in re.findall(HOST_PATH, tree.code(task))}
    assert written
    outside = {path for path in written if not Path(path).is_relative_to(guard.FOLDER)}
    assert outside == set()


# --- The longest request


def longest_request(code: str) -> list[int]:
    """Return how long the lab's app lets a request take, in seconds."""
    return [
        int(found) for found in re.findall(r"^LONGEST_REQUEST_SECONDS = (\d+)$", code, re.MULTILINE)
    ]


def test_the_kit_waits_as_long_as_the_labs_app_lets_a_request_take() -> None:
    """The app is complete on its own, so it has the number itself."""
    assert longest_request(text("service/src/worker.py")) == [facts()["service_request_seconds"]]


def test_another_longest_request_is_seen() -> None:
    assert longest_request("A = 1\nLONGEST_REQUEST_SECONDS = 31\n") == [31]
