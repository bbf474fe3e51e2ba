"""Call every operation of the candidate, from a container of the kit's own image in its network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..base import progress
from ..base.command import Finished
from ..base.docker import Docker
from ..base.errors import ClassvmError
from ..base.names import CHECK_FOLDER, check_name
from ..image.image_labels import LABEL_SERVICE
from . import health, last_words, request_log
from .refusal import UNTOUCHED, refusal
from .release_spec import CANDIDATE_CPU_SHARES, ReleaseSpec

# The variable with the seconds for all calls together.
LIMIT = "service_contract_seconds"
# Of the check itself: a contract of lists in lists asks for values without end, and whoever sends it may mean that.
MEMORY, PIDS = "1g", "128"
# As `contract.contract_document` has it, which takes too long to import here (see `argv`).
STRICT = "strict"
# As `contract.command_line` has it: what stands before the number of operations that were called.
PROGRESS = "progress: "
SERVER_ERROR = 500
# How many failing operations are shown in full, and how long a line of them may be.
FAILURES, LINE_LENGTH = 10, 250


@dataclass(frozen=True)
class Verdict:
    """What the contract check found in a release that may go live.

    Attributes:
        warnings: how it breaks its contract, a line each; it goes live all the same.
        notes: what was not checked, and why, and advice: a line for each reason.
        altered: whether the calls may have changed what the app keeps in memory or in its folders.

    """

    warnings: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    altered: bool = False


def require_contract(docker: Docker, spec: ReleaseSpec) -> Verdict:
    """Check that the candidate keeps its contract.

    Raises:
        ClassvmError: an answer breaks the contract, or none comes.

    """
    if not promises(spec.contract):
        return Verdict()
    try:
        checked = docker.run_within(
            spec.seconds.contract, *argv(spec), stdin=spec.contract.encode(), heard=say_progress
        )
    except ClassvmError as slow:
        limit = f"{spec.seconds.contract:.0f} s altogether ({LIMIT})"
        raise broken(docker, spec, f"its answers took longer than {limit}", []) from slow
    report = report_of(checked)
    if checked.code:
        reason = health.reason_of_end(docker, spec.candidate)
        if reason:  # that no call was answered is only the consequence
            raise refusal(docker, spec, spec.candidate, f"{reason}, during its contract check")
    if report is None:
        raise ClassvmError(
            f"The contract of release {spec.release} could not be checked: {said(checked)}",
            fix="`make deploy` tries again.",
            details=UNTOUCHED,
        )
    if checked.code:
        raise broken(docker, spec, report["first"], report["failures"])
    return verdict(report)


def say_progress(line: str) -> None:
    """Say from what the check prints how far it has come."""
    if line.startswith(PROGRESS):
        progress.say(f"checking its contract: {line[len(PROGRESS) :]}")


def promises(contract: str) -> bool:
    """Tell whether a contract document holds a spec; an app without one has nothing to keep."""
    return bool(contract) and bool(json.loads(contract)["specs"])


def argv(spec: ReleaseSpec) -> List[str]:
    """Return the words of `docker run` for the check; it reads the contract from standard input."""
    return [
        *("run", "--rm", "--interactive", "--pull", "never", "--name", check_name(spec.service)),
        *("--label", f"{LABEL_SERVICE}={spec.service}", "--read-only", "--cap-drop", "ALL"),
        *("--cpu-shares", CANDIDATE_CPU_SHARES),
        *("--memory", MEMORY, "--memory-swap", MEMORY, "--pids-limit", PIDS),
        *("--tmpfs", CHECK_FOLDER),
        *("--network", f"container:{spec.candidate}", "--entrypoint", "python3"),
        spec.checker_image,
        *("-c", spec.checker_program, "--contract", "/dev/stdin", "--json"),
        *("--url", url(spec)),
        # On a busy host, a candidate's share of the processor makes each answer slow.
        *("--timeout", f"{spec.seconds.request:g}"),
    ]


def url(spec: ReleaseSpec) -> str:
    """Return the address at which the check reaches the candidate."""
    return f"http://127.0.0.1:{spec.container_port}"


def report_of(checked: Finished) -> Optional[Dict[str, Any]]:
    """Return the report that the check printed, None where it did not come to one."""
    try:
        report = json.loads(checked.out)
    except ValueError:
        return None
    return report if isinstance(report, dict) else None


def said(checked: Finished) -> str:
    """Return why the check did not come to a report, in one line."""
    lines = checked.last_lines().splitlines()
    lines = [line for line in lines if not line.startswith(PROGRESS)]
    return lines[-1] if lines else f"it ended with exit code {checked.code}"


def verdict(report: Mapping[str, Any]) -> Verdict:
    """Return what the report of a release says that may go live."""
    return Verdict(
        warnings=tuple(
            f"contract: {one['title']}: {problem}{_at(one)}"
            for one in report["failures"]
            for problem in one["problems"]
        ),
        notes=tuple(report["remarks"]),
        altered=report["mode"] != STRICT,
    )


def broken(
    docker: Docker, spec: ReleaseSpec, first: str, failures: Sequence[Mapping[str, Any]]
) -> ClassvmError:
    """Return the error of a candidate that breaks its contract.

    It names the failing operations only, and of the log only the lines of those requests.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        first: the first failure in one line.
        failures: the failing operations of the report.

    """
    lines: List[str] = []
    for failure in failures[:FAILURES]:
        lines += [*described(failure, url(spec)), ""]
    if len(failures) > FAILURES:
        lines += [f"{len(failures) - FAILURES} more operations fail.", ""]
    raised = _exception(docker, spec, failures)
    if raised:
        first = f"{failures[0]['title']}: {raised}"
    requests = {request_log.request_of(one["request"]) for one in failures}
    log = last_words.of_requests(docker, spec.candidate, requests)
    return ClassvmError(
        f"Release {spec.release} breaks its contract: {first}"[:LINE_LENGTH],
        # An exception names the place of its own, which is the app's code.
        place=failures[0]["place"] if failures and not raised else "",
        details="\n".join([*lines, *log, *([""] if log else []), UNTOUCHED]),
    )


def _exception(docker: Docker, spec: ReleaseSpec, failures: Sequence[Mapping[str, Any]]) -> str:
    """Return the exception behind the first failure, "" where its answer was no server error."""
    if not failures or (failures[0]["status"] or 0) < SERVER_ERROR:
        return ""
    request = request_log.request_of(failures[0]["request"])
    return last_words.exception_of(docker, spec.candidate, request)


def described(failure: Mapping[str, Any], address: str) -> List[str]:
    """Return a failing operation in lines: request, answer, promise, place."""
    status = "no answer" if failure["status"] is None else str(failure["status"])
    parts = [
        ("request", failure["request"].replace(address, "")),
        ("answer", f"{status} {failure['answer']}".strip()),
        *(("promise", problem) for problem in failure["problems"]),
        ("place", failure["place"]),
    ]
    lines = [f"    {name + ':':<10}{text}"[:LINE_LENGTH] for name, text in parts if text]
    return [str(failure["title"]), *lines]


def _at(entry: Mapping[str, Any]) -> str:
    return f" ({entry['place']})" if entry.get("place") else ""
