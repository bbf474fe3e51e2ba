"""Finds out which hosts can be verified, and what is live there, before any check runs."""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Where the suite finds its own modules when pytest runs it.
sys.path += [str(ROOT / "tests"), str(ROOT / "ansible/plugins/module_utils")]

from classvm.app import layout  # noqa: E402 - its folder was added to the path above
from classvm.base import edge  # noqa: E402 - as above
from classvm.base.errors import ClassvmError  # noqa: E402 - as above
from classvm.image import image_labels  # noqa: E402 - as above
from classvm.output import advice  # noqa: E402 - as above
from classvm.release import history  # noqa: E402 - as above
from infra import expected, released  # noqa: E402 - as above
from infra.released import Released  # noqa: E402 - as above
from infra.vm import SETTLED  # noqa: E402 - as above

LINE_LENGTH = 200
# What the survey prints where the account cannot become root; else a line for each container.
NO_ROOT = "no root"
NO_ROOT_THERE = "run make verify with an account that may use sudo there without a password"
AS_ROOT = (
    'as="sudo -n"; [ "$(id -u)" != 0 ] || as=; '
    f"$as true 2>/dev/null || {{ echo {NO_ROOT}; exit 0; }}; "
)
LISTED = f'{{{{.Names}}}} {{{{.State}}}} {{{{.Label "{image_labels.LABEL_CONTENT}"}}}}'
SURVEY = (
    f"{AS_ROOT}$as sh -c '{SETTLED}';"
    f" $as docker ps --all --filter label={image_labels.LABEL_SERVICE}"
    f" --format '{LISTED}' 2>/dev/null; exit 0"
)
OTHER_RELEASE = "runs another release"
# Labels of the container, history, spec: a line each.
EVIDENCES = 3
MAINTAINED = (
    "is in maintenance: the checks would get 503, as clients do. Next: `make maintenance off`"
)
STOPPED = ("created", "exited", "dead")


class CannotRunError(Exception):
    """Nothing can be verified; the text says why and what to do."""


@dataclass
class Survey:
    """What was found before any check.

    Attributes:
        hosts: those that can be verified.
        obstacles: for each other one why it cannot be, with the next command.
        by_rollback: the releases that a rollback made live, by host.

    """

    hosts: list[str] = field(default_factory=list)
    obstacles: dict[str, str] = field(default_factory=dict)
    by_rollback: dict[str, Released] = field(default_factory=dict)


def survey(options: argparse.Namespace) -> Survey:
    """Look at the hosts that the options name.

    Raises:
        CannotRunError: they name no host, or none that can be verified.

    """
    # Bare neighbours are there to look from, not to be looked at.
    pattern = f"all:!{expected.NEIGHBOURS}"
    try:
        answers = asked(options, pattern, SURVEY, options.limit)
        known = expected.read(options.inventory, options.extra_vars)
    except expected.FactsError as error:
        raise CannotRunError(f"{error}\nNext: correct --inventory or --limit") from error
    found = Survey()
    for host in sorted(answers):
        why = obstacle(answers[host], known.get(host))
        facts = known.get(host)
        if facts and why.startswith(OTHER_RELEASE):
            one = by_rollback(options, facts)
            if one:
                found.by_rollback[host], why = one, ""
        if facts and not why and facts.is_behind_edge and in_maintenance(options, facts):
            why = MAINTAINED
        if why:
            found.obstacles[host] = advice.for_host(why, os.environ, host)
        else:
            found.hosts.append(host)
    if not found.hosts:
        raise CannotRunError("\n".join(f"{host} {why}" for host, why in found.obstacles.items()))
    return found


def asked(
    options: argparse.Namespace, hosts: str, script: str, limit: str | None
) -> dict[str, Any]:
    """Run a script on hosts, with Ansible's connection to each, and return the answers by host."""
    words = ["ansible", hosts, "--module-name", "ansible.builtin.raw"]
    # The first word is there because Ansible takes arguments that begin with a brace for JSON.
    words += ["--args", f"true; {{% raw %}}{script}{{% endraw %}}"]
    words += expected.options(options.inventory, options.extra_vars)
    return expected.ask(words + (["--limit", limit] if limit else []))


def obstacle(answer: Mapping[str, Any], facts: expected.Facts | None) -> str:
    """Return in one line why a host cannot be verified, with the next command, or "".

    Args:
        answer: result of the survey's task there.
        facts: what the host should be, where Ansible could resolve that.

    """
    if answer.get("unreachable"):
        why = " ".join(str(answer["msg"]).split())[:LINE_LENGTH].rstrip(".")
        return f"cannot be reached: {why}. Next: `make doctor`"
    lines = str(answer.get("stdout", "")).splitlines()
    if NO_ROOT in lines:
        is_local = facts is not None and facts.is_local
        return (
            "can be verified by root only, and without a password this account cannot become root."
            f" Next: {'sudo make verify' if is_local else NO_ROOT_THERE}"
        )
    return live_obstacle(lines, facts) if facts else ""  # the checks tell what is wrong


def live_obstacle(lines: Sequence[str], facts: expected.Facts) -> str:
    """Return why what is live on a host cannot be verified, with the next command, or "".

    Args:
        lines: what the survey printed there, a line for each container.
        facts: what the host should be.

    """
    containers = {words[0]: words[1:] for words in (line.split(" ", 2) for line in lines)}
    if facts.container not in containers:
        return "has no release that could be verified. Next: `make deploy`"
    state, content = [*containers[facts.container], "", ""][:2]
    if state in STOPPED:
        return "has a release that is stopped. Next: `make start`"
    try:
        desired = facts.source.packed.content
    except ClassvmError as error:
        return f"cannot be compared with {facts.service_dir.name}/: {error}. Next: make check"
    if content == desired:
        return ""
    return (
        f"{OTHER_RELEASE} than {facts.service_dir.name}/ here."
        " Next: name the app that runs there (make verify APP=folder), or `make deploy`"
    )


def in_maintenance(options: argparse.Namespace, facts: expected.Facts) -> bool:
    """Tell whether HAProxy of a host answers each request itself."""
    script = f"{AS_ROOT}$as cat {facts.edge.map} 2>/dev/null; exit 0"
    answer = asked(options, facts.name, script, None)[facts.name]
    return f"maintenance {edge.ON}" in str(answer.get("stdout", "")).splitlines()


def by_rollback(options: argparse.Namespace, facts: expected.Facts) -> Released | None:
    """Return the live release of a host where a rollback made it live, else None."""
    answer = asked(options, facts.name, evidence_script(facts), None)[facts.name]
    texts = [
        base64.b64decode(line).decode("utf-8", errors="replace")
        for line in str(answer.get("stdout", "")).splitlines()
    ]
    if len(texts) != EVIDENCES or not texts[0]:
        return None
    labels = json.loads(texts[0])
    return released.by_rollback(texts[1], str(facts["service_name"]), labels, texts[2])


def evidence_script(facts: expected.Facts) -> str:
    """Return a script that prints how a live release came about, each text in base64 on a line."""
    name = facts.container
    commands = (
        f"docker container inspect --format '{{{{json .Config.Labels}}}}' {name}",
        f"cat {facts['classvm_state_dir']}/{history.FILE}",
        f"docker exec {name} cat {layout.SPEC}",
    )
    return AS_ROOT + " ".join(
        f"$as {command} 2>/dev/null | base64 | tr -d '\\n'; echo;" for command in commands
    )
