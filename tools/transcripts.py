#!/usr/bin/env python3
"""Writes docs/transcripts.md: what a run prints, as users see it, on simulated class VMs.

make transcripts                     needs root, Docker and ten minutes
python tools/transcripts.py --hosts 3

The runs are made in a view of this tree, beside a copy of the lab's app that is broken in between.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from listen import listen

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/transcripts.md"
INVENTORY = ".lab/inventory.yml"
APP = "my-app"
HOSTS = 6
LAB = "class-vms-transcripts"
# What git does not keep is not a part of the view.
LEFT_OUT = (".git", ".lab", ".classvm")
HEAD = """# Transcripts

What `make deploy` prints into a file, recorded by `make transcripts` on simulated class VMs. On a
terminal the line of a step is drawn in place, with the seconds and what is going on. Elsewhere, a
line with `still:` appears where nothing else was printed for a while. Tests count the lines of each
run, and look for the cause in its closing line.
"""
RAISE = '    raise ValueError("no greeting today")\n    return {'
KEY = 'return {"message"'
IMPORT = "import no_such_module\n\n\ndef get("
# Where packages come from differs from campus to campus.
ADDRESS = re.compile(r"\b(https?)://(?!172\.30\.|localhost|127\.)[^\s/:]+(?::\d+)?")


@dataclass(frozen=True)
class Recorded:
    """A run, as somebody saw it who read along.

    Attributes:
        command: as it was typed.
        lines: what it printed.
        code: its exit code.
        seconds: how long it took.
        silence: the longest time in which it printed nothing, in seconds.

    """

    command: str
    lines: tuple[str, ...]
    code: int
    seconds: float
    silence: float


@dataclass(frozen=True)
class Scene:
    """A run to record, and what is done to the app before it.

    Attributes:
        title: what happens.
        words: what is given to `make`.
        edit: changes the app, which is a fresh copy of the lab's.

    """

    title: str
    words: tuple[str, ...]
    edit: Callable[[Path], None] = lambda _: None


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Return an edit that replaces a text of a file, which has to be there."""

    def edit(app: Path) -> None:
        text = (app / file).read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{file} has no {old!r}")
        (app / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def scenes(hosts: int) -> list[Scene]:
    """Return the scenes, in order; the last one is for all hosts, of which the last is off."""
    everywhere = ("deploy", f"INVENTORY={INVENTORY}", f"APP=../{APP}")
    one = (*everywhere, "LIMIT=vm-148-1")
    hello, spec = "src/hello.py", "master.yml"
    changed = replaced(hello, "Hello", "Good morning")
    return [
        Scene("A first deploy, to a bare VM", one),
        Scene("A deploy that changes nothing", one),
        Scene("A changed line", one, changed),
        Scene("An exception in a handler", one, replaced(hello, "    return {", RAISE)),
        Scene("A misspelt key in an answer", one, replaced(hello, KEY, KEY.replace("mess", "mes"))),
        Scene("A build that fails", one, replaced(hello, "def get(", IMPORT)),
        Scene("A spec that is not YAML", one, replaced(spec, "paths:", "paths: [")),
        Scene("A slip in a setting", (*one, "ARGS=--extra-vars service_memori=1g")),
        Scene(f"{hosts} VMs, of which one is off", everywhere, changed),
    ]


def record(words: tuple[str, ...], folder: Path) -> Recorded:
    """Run `make` in a folder without a terminal, and note what it prints when."""
    # `setup` has been done, and this program runs in what it made.
    heard = listen(["make", "--no-print-directory", "--old-file=setup", *words], folder)
    return Recorded(
        command=" ".join(["make", *(shlex.quote(word) for word in words)]),
        lines=tuple(ADDRESS.sub(r"\1://…", line.rstrip()) for line in heard.lines),
        code=heard.code,
        seconds=heard.seconds,
        silence=heard.silence,
    )


def section(title: str, run: Recorded) -> str:
    """Return the section of the document for a run."""
    text = "\n".join(run.lines)
    return (
        f"\n## {title}\n\n```sh\n{run.command}\n```\n\n```text\n{text}\n```\n\n"
        f"{run.seconds:.0f} s, the longest silence {run.silence:.0f} s, exit code {run.code}.\n"
    )


@contextmanager
def view() -> Iterator[Path]:
    """Give a folder that shows this tree, with room beside it for an app."""
    with tempfile.TemporaryDirectory(prefix="classvm-transcripts-") as parent:
        folder = Path(parent) / "classvm"
        folder.mkdir()
        for entry in ROOT.iterdir():
            if entry.name not in LEFT_OUT:
                (folder / entry.name).symlink_to(entry)
        yield folder


@contextmanager
def lab(folder: Path, hosts: int) -> Iterator[None]:
    """Have simulated class VMs while something else is done."""
    named = f"ARGS=--extra-vars lab_name={LAB}"
    try:
        must(record(("lab-up", f"N={hosts}", named), folder))
        yield
    finally:
        must(record(("lab-down", named), folder))


def must(run: Recorded) -> None:
    """End the program where a run that only prepares others has failed."""
    if run.code:
        sys.exit("\n".join([run.command, *run.lines]))


def fresh_app(folder: Path) -> Path:
    """Return a copy of the lab's app, where the runs look for it."""
    app = folder.parent / APP
    shutil.rmtree(app, ignore_errors=True)
    shutil.copytree(ROOT / "service", app, ignore=shutil.ignore_patterns("__pycache__"))
    return app


def switch_off(host: str) -> None:
    """Switch a simulated VM off."""
    words = ["docker", "stop", f"{LAB}-{host}"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own container


def play(folder: Path, hosts: int) -> Iterator[str]:
    """Record all scenes and return the sections of the document."""
    *single, last = scenes(hosts)
    for scene in [*single, last]:
        if scene is last:
            must(record(("provision", f"INVENTORY={INVENTORY}", "LIMIT=!vm-148-1"), folder))
            switch_off(f"vm-148-{hosts}")
        scene.edit(fresh_app(folder))
        run = record(scene.words, folder)
        print(f"{scene.title}: {run.seconds:.0f} s, exit code {run.code}", flush=True)
        yield section(scene.title, run)


def main() -> None:
    """Record the runs and write the document."""
    parser = argparse.ArgumentParser(description="Record what a run prints.")
    parser.add_argument(
        "--hosts", type=int, default=HOSTS, help="simulated VMs (default: %(default)s)"
    )
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("transcripts: simulated VMs need root. Run: sudo make transcripts")
    with view() as folder, lab(folder, options.hosts):
        sections = list(play(folder, options.hosts))
    DOCUMENT.write_text(HEAD + "".join(sections), encoding="utf-8")
    print(f"{DOCUMENT.relative_to(ROOT)} is written")


if __name__ == "__main__":
    main()
