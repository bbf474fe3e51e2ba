"""Deploys apps of many kinds for real, and compares what becomes of them with what is expected.

    make apps                                   the project's small apps, on this machine (root)
    make apps SCOPE=quick                       one of each common kind
    make apps FOLDER=folder                     the apps in a folder: what becomes of each
    make apps FOLDER=folder ARGS="--expected F" the same, compared with that file
    make apps INVENTORY=.lab/inventory.yml LIMIT=vm-148-1
    make apps TABLE=docs/apps.md ARGS="--title 'Small apps'"

Each app is deployed as `make deploy APP=folder` deploys it, one after the other under one name, so
that an app that is refused has a live release before it, which has to stay. A second deploy of an
app that lives has to change nothing, and no deploy may change the app's folder. On this machine
the service has a name, a port and a state folder of its own, which are removed at the end (the
engine and the base image stay). On a class VM it is the service that is there for the class.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import app_calls
import app_expected
from app_expected import LIVES, REFUSED, Expected

ROOT = Path(__file__).resolve().parent.parent
OWN_APPS = ROOT / "tests/apps/live"
NAME = "apps"
STATE_DIR = "/var/lib/classvm-apps"
LOCK = Path(tempfile.gettempdir(), "classvm-apps.lock")
DEPLOY_SECONDS = 900
WRONG_USAGE = 2
BROKE = "broke"
SENTENCE_LENGTH = 200
ADDRESS = ("-m", "debug", "-a", "msg={{ service_address }}:{{ service_host_port }}")
CLOSING = re.compile(r"^classvm: (?P<host>\S+) failed: (?P<reason>.*)$|^classvm: .*$", re.MULTILINE)
INTRODUCTION = """\
# Apps that were deployed

`make apps TABLE=docs/apps.md` deployed each of these apps for real, called it, deployed it again
without a change, and wrote this. "Seconds" is the first deploy, from the command to its closing
line; where the list of packages was new, pip is part of it. "Again" is the second deploy, which
changed nothing. An app that is refused leaves the release before it live.
"""
COLUMNS = ("app", "outcome", "seconds", "again", "sentence")


@dataclass(frozen=True)
class Deploy:
    """A finished deploy: its exit status, its output, and its seconds."""

    code: int
    text: str
    seconds: float

    @property
    def closing(self) -> str:
        """The closing line, or the last line where there is none."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        closing = [line for line in lines if line.startswith("classvm: ")]
        return (closing or lines or [""])[-1]

    @property
    def outcome(self) -> str:
        """Whether the app lives, was refused, or neither: the deploy itself broke."""
        if self.code == 0:
            return LIVES
        found = CLOSING.match(self.closing)
        return REFUSED if found and found["reason"] else BROKE

    @property
    def changed(self) -> int:
        """The number of changes that the closing line tells; -1 where it tells none."""
        found = re.search(r"\b(\d+) changed\)", self.closing)
        return int(found[1]) if found else -1


@dataclass(frozen=True)
class Target:
    """Where the apps are deployed.

    Attributes:
        url: where the service answers.
        options: options of ansible-playbook that name the inventory and the host.
        variables: variables of the playbooks.

    """

    url: str
    options: Sequence[str] = ()
    variables: Mapping[str, object] = field(default_factory=dict)

    def deploy(self, folder: Path) -> Deploy:
        """Deploy an app's folder."""
        variables = {"service_dir": str(folder), **self.variables}
        words = ["ansible-playbook", "ansible/deploy.yml", *self.options]
        started = time.monotonic()
        done = subprocess.run(  # noqa: S603 - our own playbook
            [*words, "--extra-vars", json.dumps(variables)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=DEPLOY_SECONDS,
        )
        return Deploy(done.returncode, done.stdout, time.monotonic() - started)


@dataclass(frozen=True)
class Result:
    """What became of an app.

    Attributes:
        name: of the app.
        outcome: "lives", "refused" or "broke".
        seconds: of the first deploy.
        again: of the second, None where there was none.
        sentence: what the person reads: the reason of a refusal, or what was noteworthy.
        problems: what is not as expected.
        text: the output of the first deploy.

    """

    name: str
    outcome: str
    seconds: float
    again: float | None
    sentence: str
    problems: Sequence[str]
    text: str = ""

    @property
    def line(self) -> str:
        """The result in a line."""
        again = f"again {self.again:.1f} s" if self.again is not None else ""
        sign = "✘" if self.problems else "✔"
        head = f"{sign} {self.name:28} {self.outcome:8} {self.seconds:6.1f} s"
        return f"{head}  {again:13} {self.sentence}"

    @property
    def cells(self) -> list[str]:
        """The result as the cells of a table."""
        again = f"{self.again:.1f}" if self.again is not None else ""
        outcome = f"NOT AS EXPECTED: {self.outcome}" if self.problems else self.outcome
        return [self.name, outcome, f"{self.seconds:.1f}", again, self.sentence]


def try_app(app: Expected, folder: Path, target: Target, before: Expected | None) -> Result:
    """Deploy an app, again if it lives, call it, and compare; `before` is the app that was live."""
    untouched = app_expected.contents(folder)
    first = target.deploy(folder)
    problems = judge(app, first)
    again = None
    if first.outcome == LIVES:
        again = target.deploy(folder)
        problems += judge_again(again)
        problems += [one for asked in app.answers for one in app_calls.problems(target.url, asked)]
    elif before:
        problems += [f"the release before it: {one}" for one in still_there(before, target.url)]
    if app_expected.contents(folder) != untouched:
        problems.append("the deploy changed the app's folder")
    return Result(
        name=app.name,
        outcome=first.outcome,
        seconds=first.seconds,
        again=again.seconds if again else None,
        sentence=sentence(app, first),
        problems=problems,
        text=first.text,
    )


def judge(app: Expected, deploy: Deploy) -> list[str]:
    """Return what of a deploy is not as expected: its outcome, and what it says."""
    found = []
    if deploy.outcome == BROKE or deploy.outcome != (app.outcome or deploy.outcome):
        found.append(f"it {deploy.outcome}: {deploy.closing}")
    said = one_line(deploy.text)
    found += [f"the deploy does not say: {text}" for text in app.sentence if text not in said]
    if app.outcome == REFUSED and app.sentence and app.sentence[0] not in one_line(deploy.closing):
        found.append(f"the closing line does not say it: {deploy.closing}")
    return found


def judge_again(again: Deploy) -> list[str]:
    """Return what of a second deploy is not as it has to be: good, and without a change."""
    if again.outcome != LIVES:
        return [f"the second deploy {again.outcome}: {again.closing}"]
    return [] if again.changed == 0 else [f"the second deploy is no no-op: {again.closing}"]


def still_there(before: Expected, url: str) -> list[str]:
    """Return why the app that was live before a refusal is not there any more."""
    first = [
        replace(one, times=1, json=None, has_json=False, text=()) for one in before.answers[:1]
    ]
    return [problem for one in first for problem in app_calls.problems(url, one)]


def sentence(app: Expected, deploy: Deploy) -> str:
    """Return what a person reads: why it was refused, or what is noteworthy though it lives."""
    found = CLOSING.match(deploy.closing)
    if found and found["reason"]:
        return shortened(found["reason"])
    told = [line for line in deploy.text.splitlines() if any(text in line for text in app.sentence)]
    checked = re.search(r"\d+ operations? verified", deploy.closing)
    return shortened(told[0].strip(" -·|!")) if told else checked[0] if checked else ""


def one_line(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def shortened(text: str) -> str:
    """Return a text as it may stand in a table."""
    text = one_line(text)
    return text if len(text) <= SENTENCE_LENGTH else f"{text[: SENTENCE_LENGTH - 1]}…"


def try_all(
    apps: Sequence[tuple[Expected, Path]], target: Target, logs: Path | None
) -> list[Result]:
    """Deploy the apps in their order, and print a line for each."""
    results: list[Result] = []
    before: Expected | None = None
    for app, folder in apps:
        result = try_app(app, folder, target, before)
        before = app if result.outcome == LIVES else before
        results.append(result)
        print(result.line, *(f"    {problem}" for problem in result.problems), sep="\n", flush=True)
        if logs:
            (logs / f"{app.name.replace('/', '-')}.log").write_text(result.text, "utf-8")
    return results


def markdown(results: Sequence[Result]) -> str:
    """Return the table of the results."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(one.cells for one in results)]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )


def write_table(path: Path, title: str, results: Sequence[Result]) -> None:
    """Write the section of these apps into the document; the other sections stay."""
    text = path.read_text("utf-8") if path.exists() else INTRODUCTION
    section = f"## {title}\n\n{markdown(results)}\n{verdict(results)}.\n"
    old = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    head = INTRODUCTION + text[text.find("\n## ") :] if "\n## " in text else INTRODUCTION
    if old.search(head):
        path.write_text(old.sub(lambda _: f"{section}\n", head).rstrip("\n") + "\n", "utf-8")
    else:
        path.write_text(f"{head.rstrip(chr(10))}\n\n{section}", "utf-8")


def verdict(results: Sequence[Result]) -> str:
    """Return the closing line: how many are as expected, how many live."""
    good = sum(not one.problems for one in results)
    live = sum(one.outcome == LIVES for one in results)
    return f"{good} of {len(results)} as expected, {live} live"


@contextlib.contextmanager
def laid_out(apps: Sequence[Expected], root: Path | None) -> Iterator[list[tuple[Expected, Path]]]:
    """Yield the folder of each app: its own, or a new one with the files of its description.

    A folder whose app has to be prepared is copied: what is given is not touched.
    """
    with tempfile.TemporaryDirectory(prefix="classvm-apps-") as made:
        yield [(app, folder_of(app, root, Path(made, app.name))) for app in apps]


def folder_of(app: Expected, root: Path | None, made: Path) -> Path:
    """Return the folder of one app."""
    if app.files is None and root is not None:
        if not app.prepare:
            return root / app.name
        shutil.copytree(root / app.name, made, symlinks=True)
    else:
        made.mkdir(parents=True)
        app_expected.write_files(made, app.files or {})
    app_expected.prepare(app, made)
    return made


def chosen(options: argparse.Namespace) -> list[Expected]:
    """Return the apps that the command line asks for."""
    if options.expected:
        apps = app_expected.read_table(options.expected)
    elif options.folder:
        apps = app_expected.folders(options.folder)
    else:
        apps = app_expected.read_apps(OWN_APPS)
    if options.scope:
        apps = [app for app in apps if app.quick]
    return [app for app in apps if not options.only or app.name in options.only]


def free_port() -> int:
    """Return a TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def here() -> Target:
    """Return this machine, with a service beside the one that is live on it."""
    port = free_port()
    variables = {
        "service_name": NAME,
        "service_host_port": port,
        "classvm_state_dir": STATE_DIR,
    }
    return Target(f"http://127.0.0.1:{port}", variables=variables)


def class_vm(inventory: str, host: str) -> Target:
    """Return a host of an inventory, with the service that it is there for."""
    words = ("ansible", host, "--inventory", inventory, "--playbook-dir", "ansible", *ADDRESS)
    told = output(*words)
    address = told.split()[-1].strip("'\"")
    return Target(f"http://{address}", ("--inventory", inventory, "--limit", host))


def output(*words: str) -> str:
    """Run a command that has to succeed and return what it printed."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - the words stand in this file
    if done.returncode:
        sys.exit(f"apps: `{' '.join(words)}` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def clean() -> None:
    """Remove what the apps left on this machine."""
    if shutil.which("docker") is None:
        return
    for kind, listing in (("container", ("ps", "--all")), ("image", ("image", "ls"))):
        found = output("docker", *listing, "--quiet", "--filter", f"label=classvm.service={NAME}")
        for identifier in dict.fromkeys(found.split()):
            output("docker", kind, "rm", "--force", identifier)
    volumes = output("docker", "volume", "ls", "--quiet", "--filter", f"name=^classvm-{NAME}-")
    for volume in volumes.split():
        output("docker", "volume", "rm", volume)
    shutil.rmtree(STATE_DIR, ignore_errors=True)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("folder", nargs="?", type=Path, help="folder of apps; by default the project's own")
    add("--expected", type=Path, help="file with what is expected of the apps in the folder")
    add("--scope", choices=["quick"], help="a few of them")
    add("--only", nargs="+", metavar="NAME", help="only these apps")
    add("--table", type=Path, help="document for the results")
    add("--title", default="Small apps of the tests", help="its section")
    add("--logs", type=Path, help="folder for the output of each first deploy")
    add("--keep", action="store_true", help="leave the last release, the images and the locks")
    add("--inventory", default="", help="inventory of a class VM")
    add("--limit", default="", help="class VM to deploy to instead of this machine")
    options = parser.parse_args(arguments)
    if bool(options.inventory) != bool(options.limit):
        parser.error("a class VM takes both: INVENTORY=FILE LIMIT=NAME")
    if options.expected and not options.folder:
        parser.error("name the folder of the apps, too")
    return options


@contextlib.contextmanager
def alone(path: Path = LOCK) -> Iterator[None]:
    """Keep a second run away from the same service; end it with a message."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit("apps: another run deploys apps here; wait until it has ended")
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy the apps; return 1 where one is not as expected."""
    options = parse(arguments)
    apps = chosen(options)
    if not apps:
        print("apps: there is no such app", file=sys.stderr)
        return WRONG_USAGE
    with alone():
        target = class_vm(options.inventory, options.limit) if options.limit else here()
        try:
            with laid_out(apps, options.folder) as there:
                results = try_all(there, target, options.logs)
        finally:
            if not options.limit and not options.keep:
                clean()
    if options.table:
        write_table(options.table, options.title, results)
    print(f"apps: {verdict(results)}")
    return int(any(one.problems for one in results))


if __name__ == "__main__":
    sys.exit(main())
