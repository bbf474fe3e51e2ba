"""tools/setup, with shims in place of Python, apt-get and sudo: nothing is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[3] / "tools" / "setup"

# The shim passes for the interpreter of a virtual environment too, because
# its `-m venv` links to itself there. What setup asks with `-c` is answered by
# the real Python of this test, made to believe that it is another version.
PYTHON_SHIM = """#!/bin/sh
case "$*" in
    -c*) exec {real} -c 'import sys; sys.version_info = {version}; exec(sys.argv[1])' "$2" ;;
    "-m venv "*)
        mkdir -p "$3/bin" "$3/lib/python3.11/site-packages"
        ln -s "$0" "$3/bin/python" ;;
    "-m pip "*) echo called >>"{pip_calls}"; {pip_says}; exit {pip_status} ;;
    --version) echo "Python 3.11.0" ;;
esac
"""

TOOLS = (
    "cat cp cut date dirname env find flock grep ln ls mkdir readlink rm sed sh sha256sum sleep"
    " tail touch"
)


class Checkout:
    """A copy of the repository's setup, with a PATH that holds only what a test puts there."""

    def __init__(self, folder: Path) -> None:
        """Lay out the copy in `folder`."""
        self.root = folder / "checkout"
        self.path = folder / "path"
        self.pip_calls = folder / "pip-calls"
        self.venv = self.root / ".venv"
        self.stamp = self.venv / "setup.stamp"
        (self.root / "tools").mkdir(parents=True)
        self.path.mkdir()
        shutil.copy(SETUP, self.root / "tools" / "setup")
        self.lock("ansible==1")
        for tool in TOOLS.split():
            self.path.joinpath(tool).symlink_to(str(shutil.which(tool)))

    def lock(self, text: str) -> None:
        """Write `text` as the lock file."""
        (self.root / "requirements.txt").write_text(text)

    def shim(self, name: str, script: str) -> None:
        """Put a command on the PATH."""
        file = self.path / name
        file.unlink(missing_ok=True)  # it may be a link to the machine's own
        file.write_text(script)
        file.chmod(0o755)

    def python(
        self,
        name: str = "python3",
        *,
        version: tuple[int, int] = (3, 11),
        pip_status: int = 0,
        pip_says: str = "echo the index is away",
    ) -> None:
        """Put an interpreter of this version on the PATH, whose pip says this and ends so."""
        script = PYTHON_SHIM.format(
            real=sys.executable,
            version=version,
            pip_calls=self.pip_calls,
            pip_status=pip_status,
            pip_says=pip_says,
        )
        self.shim(name, script)

    def user(self, number: int) -> None:
        """Make setup believe that the user with this number runs it."""
        self.shim("id", f"#!/bin/sh\necho {number}\n")

    def apt(self, offered: str, *, brings_python: bool) -> None:
        """Put an apt-get on the PATH that offers one package."""
        self.shim("apt-cache", f'#!/bin/sh\n[ "$2" = {offered} ]\n')
        source = self.path.parent / "packaged"
        if brings_python:
            self.python("packaged")
            (self.path / "packaged").rename(source)
        self.shim(
            "apt-get",
            f'#!/bin/sh\necho "$@" >>"{self.path.parent}/apt-calls"\n'
            f'[ "$1" = install ] && [ -e "{source}" ] || exit 0\n'
            f'cp "{source}" "{self.path}/{offered}"\n',
        )

    def setup(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run setup and return what became of it."""
        return subprocess.run(
            [str(self.root / "tools" / "setup"), *arguments],
            env={"PATH": str(self.path), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def pip_runs(self) -> int:
        """Return how often pip was called."""
        return self.pip_calls.read_text().count("called") if self.pip_calls.exists() else 0


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return an empty checkout on a machine without Python."""
    return Checkout(tmp_path)


def test_setup_makes_the_environment_and_says_so_before_and_after(checkout: Checkout) -> None:
    checkout.python()
    done = checkout.setup()
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["setting", "done,"]
    assert checkout.stamp.exists()


def test_a_current_stamp_makes_setup_a_silent_no_op(checkout: Checkout) -> None:
    checkout.python()
    checkout.setup()
    start = time.monotonic()
    again = checkout.setup()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert checkout.pip_runs() == 1
    # Ten times what it takes, so that a busy machine does not fail the test.
    assert time.monotonic() - start < 0.5


def test_another_lock_file_makes_the_environment_anew(checkout: Checkout) -> None:
    checkout.python()
    checkout.setup()
    leftover = checkout.venv / "bin" / "leftover"
    leftover.touch()
    checkout.lock("ansible==2")
    assert checkout.setup().returncode == 0
    assert checkout.pip_runs() == 2
    assert not leftover.exists()


def test_an_environment_whose_interpreter_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.python()
    checkout.setup()
    (checkout.path / "python3").unlink()
    checkout.python("python3.12")
    assert checkout.setup().returncode == 0
    assert checkout.pip_runs() == 2


def test_a_moved_checkout_gets_a_new_environment(checkout: Checkout) -> None:
    checkout.python()
    checkout.setup()
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert "done" in checkout.setup().stdout


def test_a_failed_install_leaves_no_stamp_and_the_next_run_heals(checkout: Checkout) -> None:
    checkout.python(pip_status=1)
    failed = checkout.setup()
    assert failed.returncode == 1
    assert failed.stderr.startswith("setup: pip failed: the index is away. Then: make setup\n")
    assert ".venv/setup.log" in failed.stderr
    assert not checkout.stamp.exists()
    checkout.python()
    assert checkout.setup().returncode == 0
    assert checkout.stamp.exists()


NO_ROUTE = "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'X'"
NOTHING = "ERROR: No matching distribution found for ansible==12.3.0"


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (f"{NO_ROUTE}\n{NOTHING}", "the package index does not answer. Check the network"),
        (NOTHING, "the package index has no ansible==12.3.0. Look which index"),
        ("x [SSL: CERTIFICATE_VERIFY_FAILED] y\n" + NOTHING, "PIP_CERT=/path/to/ca.pem"),
        ("OSError: [Errno 28] No space left on device", "the disk is full. Make room"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "another file than the one"),
        ("ERROR: something new\n    indented", "pip failed: something new. Then: make setup"),
        ("", "pip failed"),
    ],
)
def test_why_pip_failed_is_said_in_a_sentence(checkout: Checkout, said: str, cause: str) -> None:
    words = checkout.root / "said"
    words.write_text(said)
    checkout.python(pip_status=1, pip_says=f'cat "{words}"')
    failed = checkout.setup()
    first, where = failed.stderr.splitlines()
    assert cause in first
    assert first.endswith("Then: make setup")
    assert ".venv/setup.log" in where
    assert (checkout.venv / "setup.log").read_text() == said


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Collecting ansible==1\n  Using cached", "8 s: Collecting ansible==1\n"),
        (NO_ROUTE, "8 s: the package index has not answered yet\n"),
        ("", "8 s\n"),
    ],
)
def test_a_long_install_tells_how_far_it_is(checkout: Checkout, said: str, told: str) -> None:
    # A second of this clock is over at once.
    checkout.shim("sleep", "#!/bin/sh\nexec /bin/sleep 0.05\n")
    checkout.python(pip_says=f'echo "{said}"; /bin/sleep 1')
    done = checkout.setup()
    assert done.returncode == 0, done.stderr
    assert f"setup: still at it, {told}" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("setup: done")


def test_nothing_goes_on_after_setup_has_ended(checkout: Checkout) -> None:
    # Who reads the output waits until nobody holds it any more.
    checkout.python()
    start = time.monotonic()
    checkout.setup()
    assert time.monotonic() - start < 1


def test_what_an_interruption_left_behind_is_replaced(checkout: Checkout) -> None:
    checkout.python()
    (checkout.venv / "lib").mkdir(parents=True)
    (checkout.venv / "pyvenv.cfg").touch()
    assert checkout.setup().returncode == 0


def test_a_folder_that_is_no_environment_is_left_alone(checkout: Checkout) -> None:
    checkout.python()
    work = checkout.root / "thesis" / "chapter.txt"
    work.parent.mkdir()
    work.write_text("years of work")
    refused = checkout.setup("thesis")
    assert refused.returncode == 1
    assert "no virtual environment" in refused.stderr
    assert work.read_text() == "years of work"


def test_a_missing_lock_file_is_named(checkout: Checkout) -> None:
    (checkout.root / "requirements.txt").unlink()
    failed = checkout.setup()
    assert failed.returncode == 1
    assert "git checkout -- requirements.txt" in failed.stderr


def test_the_first_interpreter_that_suits_is_taken(checkout: Checkout) -> None:
    checkout.python("python3", version=(3, 10))
    checkout.python("python3.12")
    assert checkout.setup().returncode == 0


def test_an_old_python_in_PYTHON_is_refused_by_name(checkout: Checkout) -> None:  # noqa: N802 - the name of the variable
    checkout.python("python3")
    checkout.python("python3.10", version=(3, 10))
    refused = checkout.setup(PYTHON="python3.10")
    assert refused.returncode == 1
    assert "PYTHON=python3.10 is not Python 3.11 or newer" in refused.stderr
    assert not checkout.venv.exists()


def test_without_python_and_apt_the_command_to_run_is_shown(checkout: Checkout) -> None:
    checkout.python(version=(3, 10))
    checkout.user(1000)
    refused = checkout.setup()
    assert refused.returncode == 1
    assert "sudo apt-get install python3 python3-venv" in refused.stderr


def test_without_the_right_to_install_nothing_is_tried(checkout: Checkout) -> None:
    checkout.user(1000)
    checkout.apt("python3.11", brings_python=True)
    checkout.shim("sudo", "#!/bin/sh\nexit 1\n")
    refused = checkout.setup()
    assert refused.returncode == 1
    assert "sudo apt-get install python3.11 python3.11-venv" in refused.stderr
    assert not (checkout.root.parent / "apt-calls").exists()


@pytest.mark.parametrize("user", [0, 1000])
def test_python_is_installed_where_that_is_allowed(checkout: Checkout, user: int) -> None:
    checkout.python(version=(3, 10))
    checkout.user(user)
    checkout.apt("python3.11", brings_python=True)
    checkout.shim("sudo", '#!/bin/sh\n[ "$1" != -n ] || shift\n"$@"\n')
    done = checkout.setup()
    assert done.returncode == 0, done.stderr
    assert "installing python3.11 and python3.11-venv" in done.stdout
    assert "python3.11 python3.11-venv" in (checkout.root.parent / "apt-calls").read_text()


def test_an_apt_without_a_new_python_is_reported(checkout: Checkout) -> None:
    checkout.user(0)
    checkout.apt("python3", brings_python=False)
    failed = checkout.setup()
    assert failed.returncode == 1
    assert "no Python of version 3.11 or newer" in failed.stderr
