"""What a host should be: the variables that the playbooks use there, and the tree itself.

No value is repeated here: defaults come from the roles, values from the inventory and the options,
as Ansible resolves them, and the release from the service's folder.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml
from classvm.app import layout, lock
from classvm.base import edge, names, systems
from classvm.base.docker import Image
from classvm.image import lock_store, service_image, source
from classvm.provision import guard, haproxy
from classvm.release.limits import LIMITS
from classvm.release.release_spec import ReleaseSpec, Seconds, run_argv
from infra.released import Released

ROOT = Path(__file__).resolve().parents[2]
PROVISION = ROOT / "ansible/provision.yml"
GUARD = ROOT / "roles/firewall/files"
EDGE = ROOT / "roles/edge/templates"
FAMILIES = {"IPv4": socket.AF_INET, "IPv6": socket.AF_INET6}
KIT = ROOT / "roles/service_image/files/kit"
SSH_PORT = 22
# In the place of an operation where the contract of an app is checked at once.
WHOLE_CONTRACT = "whole contract"
Finished = subprocess.CompletedProcess[str]
# Bare machines on the hosts' network, from which the hosts are probed.
NEIGHBOURS = "neighbours"
# Variables of the connection. They are Ansible's own, except `ansible_host_ipv6`.
CONNECTION = (
    *("ansible_connection", "ansible_host", "ansible_host_ipv6", "ansible_port"),
    "group_names",
)


class FactsError(RuntimeError):
    """Ansible could not resolve the hosts' variables; the text contains its reason."""


@dataclass(frozen=True)
class Facts:
    """What one host should be.

    Attributes:
        name: its name in the inventory.
        variables: the variables of roles and playbooks, resolved for this host.
        released: the release that a rollback made live there; None where the app's folder is live.

    """

    name: str
    variables: Mapping[str, Any]
    released: Released | None = None

    def __getitem__(self, name: str) -> Any:
        """Return a variable."""
        return self.variables[name]

    @property
    def is_local(self) -> bool:
        """Whether the host is the control node itself."""
        return bool(self.variables.get("ansible_connection") == "local")

    @property
    def is_guarded(self) -> bool:
        """Whether the host should have the guard."""
        return bool(self["firewall_mode"] == "guarded")

    @property
    def service_dir(self) -> Path:
        """The folder of the service on the control node."""
        return Path(self["service_dir"]).resolve()

    @property
    def source(self) -> source.Source:
        """What a deploy makes of that folder."""
        return read_app(self.service_dir, self.host_port, self.container_port)

    @property
    def is_sealed(self) -> bool:
        """Whether the app is in the layout of `service/`: its folder says all of its image."""
        if self.released:
            return self.released.is_sealed
        return lock.is_sealed(self.service_dir)

    @property
    def spec(self) -> Path:
        """The contract of an app in the layout of `service/`."""
        return spec_file(self.released) if self.released else self.service_dir / layout.SPEC

    @property
    def packages(self) -> dict[str, str]:
        """The version of each package of the lock, by its normal name (PEP 503)."""
        if self.released:
            return {normal(name): found for name, found in self.released.packages.items()}
        return versions(self.service_dir)

    @property
    def host_port(self) -> int:
        """The service's port of the host."""
        return int(self["service_host_port"])

    @property
    def container_port(self) -> int:
        """The service's port inside the container."""
        return int(self["service_container_port"])

    @property
    def ssh_port(self) -> int:
        """The port on which Ansible reaches the host."""
        return int(self.variables.get("ansible_port") or SSH_PORT)

    @property
    def open_tcp(self) -> list[int]:
        """The ports that the firewall should open."""
        return [int(port) for port in self["firewall_open_tcp"]]

    @property
    def container(self) -> str:
        """Name of the live container."""
        return names.container_name(self["service_name"])

    def address(self, family: str) -> str | None:
        """Return the numeric address of the host, "IPv4" or "IPv6"; None without one."""
        name = str(self["service_address"]).strip("[]")
        if family == "IPv6":
            name = str(self.variables.get("ansible_host_ipv6", name))
        try:
            return str(socket.getaddrinfo(name, None, FAMILIES[family])[0][4][0])
        except socket.gaierror:
            return None

    def url(self, family: str = "") -> str:
        """Return the service's URL, with the host's name or with one of its addresses."""
        host = self.address(family) if family else str(self["service_address"])
        bracketed = f"[{host}]" if host and ":" in host and "[" not in host else host
        return f"http://{bracketed}:{self.host_port}"

    def recipe(self, base: Image) -> service_image.Recipe:
        """Return the recipe of the service image on the host's base image."""
        app = self.source
        return service_image.Recipe(
            service=str(self["service_name"]),
            base=str(self["base_image_name"]),
            base_digest=base.content,
            source_digest=app.packed.digest,
            content=app.packed.content,
            contract_digest=app.contract_digest,
            keep=app.keep,
            lock=lock_store.lock_id(base.content, app.lock_source) if app.lock_source else "",
        )

    def release_spec(self, release: str) -> ReleaseSpec:
        """Return the spec of a release, by its id."""
        return ReleaseSpec(
            service=str(self["service_name"]),
            release=release,
            host_port=self.host_port,
            container_port=self.container_port,
            limits={name: str(self[f"service_{name}"]) for name in LIMITS},
            seconds=self.seconds,
            environment=self["service_environment"],
            strategy=str(self["service_strategy"]),
            gapless=bool(self["service_gapless"]),
        )

    @property
    def seconds(self) -> Seconds:
        """How long things may take."""
        return Seconds(
            health=float(self["service_health_timeout"]),
            steady=float(self["service_steady_seconds"]),
            contract=float(self["service_contract_seconds"]),
            stop=float(self["service_stop_seconds"]),
            request=float(self["service_request_seconds"]),
        )

    @property
    def is_behind_edge(self) -> bool:
        """Whether HAProxy should hold the service's port."""
        return bool(self["service_strategy"] == edge.BLUE_GREEN)

    @property
    def edge(self) -> edge.Edge:
        """The edge that the host should have."""
        return edge.Edge(
            strategy=str(self["service_strategy"]),
            port=self.host_port,
            slots=self["edge_slots"] if self.is_behind_edge else {},
            socket=haproxy.SOCKET,
            state_dir=str(self["classvm_state_dir"]),
        )

    def edge_file(self, path: Path) -> str:
        """Return a file of the role `edge`, as Ansible writes it for this host."""
        template = (EDGE / f"{str(path).lstrip('/')}.j2").read_text(encoding="utf-8")
        # The options with which Ansible calls Jinja.
        jinja = jinja2.Template(template, trim_blocks=True, keep_trailing_newline=True)
        return str(jinja.render(**self.variables))

    def run_option(self, spec: ReleaseSpec, name: str) -> str:
        """Return the value of an option of the `docker run` that starts the release."""
        words = run_argv(spec, name=spec.live, publish="", labels={})
        return words[words.index(name) + 1]

    def guard(self, ssh_port: int, dhcp_client_ports: Sequence[int]) -> str:
        """Return the guard's ruleset for the ports of SSH and DHCP that the host itself shows."""
        rules = (GUARD / str(guard.Files().rules).lstrip("/")).read_text(encoding="utf-8")
        # Ansible's lookup reads a file without its last newline.
        return guard.ruleset(rules.rstrip(), self.open_tcp, [ssh_port], dhcp_client_ports)


@functools.cache
def read_app(folder: Path, host_port: int, container_port: int) -> source.Source:
    """Return what a deploy makes of an app's folder.

    Raises:
        ClassvmError: it cannot be packed.

    """
    return source.read(folder, KIT, source.Ports(host_port, container_port))


@functools.cache
def spec_folder() -> Path:
    """Return a folder for specs, which is gone when this program ends."""
    folder = tempfile.mkdtemp(prefix="classvm-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def spec_file(released: Released) -> Path:
    """Return a file with the spec of a release."""
    path = spec_folder() / f"{released.release}.yml"
    if not path.exists():
        path.write_text(released.spec, encoding="utf-8")
    return path


def roles() -> list[str]:
    """Return the names of all roles."""
    return sorted(path.parents[1].name for path in ROOT.glob("roles/*/meta/argument_specs.yml"))


def settings() -> list[str]:
    """Return the names of all variables that a user may set: the defaults of all roles."""
    files = sorted(ROOT.glob("roles/*/defaults/main.yml"))
    return [name for path in files for name in yaml.safe_load(path.read_text(encoding="utf-8"))]


def handed_on() -> dict[str, str]:
    """Return the expressions that the playbook passes to the roles firewall and edge."""
    plays = yaml.safe_load(PROVISION.read_text(encoding="utf-8"))
    return {k: v for k, v in plays[0]["vars"].items() if k.startswith(("firewall_", "edge_"))}


def playbook() -> list[dict[str, Any]]:
    """Return a play that prints the variables of each host and does nothing there.

    It ends before the first task of a role: a role that is only imported gives a play its defaults.
    """
    wanted = [*settings(), *handed_on(), *CONNECTION]
    shown = "{{ dict(wanted | zip(query('ansible.builtin.vars', *wanted, default=omit))) }}"
    return [
        {
            "hosts": "all",
            "gather_facts": False,
            "vars": {**handed_on(), "wanted": wanted},
            "tasks": [
                {"ansible.builtin.debug": {"msg": shown}},
                {"ansible.builtin.meta": "end_play"},
                *({"ansible.builtin.import_role": {"name": role}} for role in roles()),
            ],
        },
    ]


def read(inventory: str | None, extra_vars: Sequence[str]) -> dict[str, Facts]:
    """Return what each host of an inventory should be, with variables resolved by Ansible.

    Args:
        inventory: as after `--inventory`; None for the one of ansible.cfg.
        extra_vars: as after each `--extra-vars`.

    Raises:
        FactsError: Ansible cannot read the inventory, or resolve the variables of any host.

    """
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(playbook(), file)
        file.flush()
        answers = ask(["ansible-playbook", file.name, *options(inventory, extra_vars)])
    failed = {host: said["msg"] for host, said in answers.items() if said.get("failed")}
    if len(failed) == len(answers):
        raise FactsError("\n".join(f"{host}: {why}" for host, why in failed.items()))
    # A host whose variables are wrong does not prevent the checks of the others.
    return {host: Facts(host, said["msg"]) for host, said in answers.items() if host not in failed}


def in_inventory(inventory: str | None, host: str) -> dict[str, Any]:
    """Return the variables that an inventory itself sets for a host or for its groups.

    Raises:
        FactsError: Ansible cannot read the inventory.

    """
    done = run(["ansible-inventory", *options(inventory, []), "--host", host])
    if done.returncode:
        raise FactsError(done.stderr.strip())
    return dict(json.loads(done.stdout))


def overruled(said: Mapping[str, Any], facts: Facts) -> list[str]:
    """Return the settings that an inventory sets and that have another value on the host.

    A value with an expression is left out: only Ansible could resolve it.
    """
    return [
        name
        for name in settings()
        if name in said and "{{" not in str(said[name]) and facts[name] != said[name]
    ]


def options(inventory: str | None, extra_vars: Sequence[str]) -> list[str]:
    """Return Ansible's options for an inventory and extra variables."""
    words = ["--inventory", inventory] if inventory else []
    return [*words, *(word for extra in extra_vars for word in ("--extra-vars", extra))]


def ask(words: Sequence[str]) -> dict[str, Any]:
    """Run one ad-hoc task and return its result by host.

    Raises:
        FactsError: there is no host, or not every host of the command.

    """
    as_json = "ansible.posix.json"
    done = run(
        words,
        ANSIBLE_LOAD_CALLBACK_PLUGINS="1",
        ANSIBLE_STDOUT_CALLBACK=as_json,
    )
    # An inventory may have no neighbours; any other host that is missing is an error.
    missing = set(
        re.findall(r"Could not match supplied host pattern, ignoring: (\S+)", done.stderr)
    )
    if missing - {NEIGHBOURS}:
        raise FactsError(f"The inventory has no host {', '.join(sorted(missing - {NEIGHBOURS}))}.")
    try:
        # The summary of our own callback follows the JSON.
        said, _ = json.JSONDecoder().raw_decode(done.stdout.lstrip())
        hosts: dict[str, Any] = said["plays"][0]["tasks"][0]["hosts"]
    except (ValueError, LookupError) as error:
        raise FactsError(f"Ansible found no host.\n{done.stderr.strip()}") from error
    return hosts


def run(words: Sequence[str], **environment: str) -> Finished:
    """Run one of Ansible's programs in the top folder and keep its own output, task by task."""
    own = {"ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_FORCE_COLOR": "0", "COLUMNS": "200"}
    return subprocess.run(
        words,
        cwd=ROOT,
        # Molecule sets colours and narrow lines, which would break the regular expressions.
        env={**os.environ, **own, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def state_dir_tasks() -> list[dict[str, Any]]:
    """Return the tasks that make the state folder."""
    path = ROOT / "roles/common/tasks/state_dir.yml"
    return list(yaml.safe_load(path.read_text(encoding="utf-8")))


def supported_systems() -> list[str]:
    """Return the systems that classvm supports, such as "Ubuntu 24"."""
    return [system.major for system in systems.SUPPORTED]


def versions(folder: Path) -> dict[str, str]:
    """Return the version of each package of the lock, by its normal name (PEP 503)."""
    text = (folder / layout.LOCK).read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==([\w.+!-]+)", text, re.MULTILINE)
    return {normal(name): version for name, version in pins}


def normal(name: str) -> str:
    """Spell the name of a package as PEP 503 does."""
    return re.sub(r"[-_.]+", "-", name).lower()
