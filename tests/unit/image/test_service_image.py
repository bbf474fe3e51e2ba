from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from classvm.app import pack
from classvm.base.command import Finished
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.image import image_labels, service_image
from recipe import RECIPE, described

if TYPE_CHECKING:
    from collections.abc import Callable

# printf 'sha256:b\n5' | sha256sum
DIGEST = "4c3cb2178f4fbe86d7ff95d8663d9b2baf31a3d207a20efd7b25e4d4c5ad997c"


def test_an_image_is_named_by_its_content() -> None:
    assert RECIPE.digest == DIGEST
    assert RECIPE.release == DIGEST[:7]
    assert RECIPE.image == f"classvm/lab:{DIGEST[:7]}"


@pytest.mark.parametrize(
    "change",
    [{"base_digest": "sha256:c"}, {"source_digest": "6"}, {"keep": ("/service/data",)}],
    ids=str,
)
def test_other_content_has_another_name(change: dict[str, Any]) -> None:
    assert dataclasses.replace(RECIPE, **change).release != RECIPE.release


def test_the_contract_is_content_only_once() -> None:
    """Its file is among the sources."""
    assert dataclasses.replace(RECIPE, contract_digest="7").digest == RECIPE.digest


def test_the_name_of_the_base_image_is_not_content() -> None:
    assert dataclasses.replace(RECIPE, base="ubuntu:18.04").release == RECIPE.release


def test_build_words() -> None:
    assert " ".join(service_image.build_words(RECIPE)) == (
        f"--tag classvm/lab:{DIGEST[:7]}"
        f" --build-arg BASE_IMAGE=classvm/base:18.04 --build-arg RELEASE={DIGEST[:7]}"
        f" --label classvm.service=lab --label classvm.release={DIGEST[:7]}"
        f" --label classvm.digest={DIGEST} --label classvm.content= --label classvm.contract=6"
        " --label org.opencontainers.image.base.name=classvm/base:18.04"
        " --label org.opencontainers.image.base.digest=sha256:b"
    )


def test_what_only_some_apps_have_is_a_label_of_theirs() -> None:
    recipe = dataclasses.replace(RECIPE, keep=("/service/data", "/service/up loads"), lock="l1")
    found = service_image.labels(recipe)
    assert json.loads(found["classvm.keep"]) == ["/service/data", "/service/up loads"]
    assert found["classvm.lock"] == "l1"
    assert not {"classvm.keep", "classvm.lock"} & set(service_image.labels(RECIPE))


def test_the_command_line_does_not_grow_with_the_app(tmp_path: Path) -> None:
    """Linux refuses an argument of more than 128 KiB, and all of them above 2 MiB."""
    for number in range(6000):
        path = tmp_path / f"data/{number % 60}/a file with a long name, number {number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
    recipe = dataclasses.replace(RECIPE, content=pack.pack(tmp_path).content)
    words = service_image.build_words(recipe)
    assert max(map(len, words)) < 64 * 1024
    assert len(words) == len(service_image.build_words(RECIPE))


def test_the_image_of_this_content_is_found(program: Callable[..., Path]) -> None:
    program("docker", described(service_image.labels(RECIPE)))
    found = service_image.find(Docker(), RECIPE)
    assert found is not None
    assert found.id == "sha256:i"


def test_an_image_of_the_same_short_name_is_not_taken(program: Callable[..., Path]) -> None:
    program(
        "docker", described({**service_image.labels(RECIPE), image_labels.LABEL_DIGEST: "other"})
    )
    assert service_image.find(Docker(), RECIPE) is None


def test_no_image_is_not_found(program: Callable[..., Path]) -> None:
    program("docker", "echo 'No such image' >&2; exit 1")
    assert service_image.find(Docker(), RECIPE) is None


BUILDS = """
case "$*" in
*--help) echo --secret ;;
build*)
    cat > {seen}/context
    for word in "$@"; do
        case "$word" in id=*) cat "${{word##*src=}}" > {seen}/"${{word%%,*}}" ;; esac
    done
    echo step 1; echo step 2 >&2
    exit {code} ;;
*) {inspect} ;;
esac
"""


def test_the_context_and_the_secrets_reach_the_build(
    program: Callable[..., Path], tmp_path: Path
) -> None:
    inspect = described(service_image.labels(RECIPE)) + "\n"
    calls = program("docker", BUILDS.format(seen=tmp_path, code=0, inspect=inspect))
    secrets = {"pip.conf": "[global]", "ca.pem": ""}
    assert service_image.build(Docker(), RECIPE, b"tar", secrets).id == "sha256:i"
    assert (tmp_path / "context").read_bytes() == b"tar"
    assert (tmp_path / "id=pip.conf").read_text() == "[global]"
    # An empty secret is not passed, and none stays behind.
    assert "ca.pem" not in calls.read_text()
    source = calls.read_text().partition("src=")[2].split()[0]
    assert source.endswith("/pip.conf")
    with pytest.raises(FileNotFoundError):
        Path(source).read_text(encoding="utf-8")


ABSENT = "echo No such image >&2; exit 1"


@pytest.mark.parametrize("code", [1, 0], ids=["build fails", "build makes nothing"])
def test_a_failed_build_ends_with_its_last_lines(
    code: int, program: Callable[..., Path], tmp_path: Path
) -> None:
    program("docker", BUILDS.format(seen=tmp_path, code=code, inspect=ABSENT))
    with pytest.raises(ClassvmError, match="The running release was not touched") as failed:
        service_image.build(Docker(), RECIPE, b"tar", {})
    assert str(failed.value).startswith("The service image could not be built: step 2\n")
    assert str(failed.value).endswith("step 1\nstep 2")


def test_the_image_of_another_deploys_build_is_taken(
    program: Callable[..., Path], tmp_path: Path
) -> None:
    """Two builds of the same content: the second one may not give its image the name."""
    inspect = described(service_image.labels(RECIPE)) + "\n"
    program("docker", BUILDS.format(seen=tmp_path, code=1, inspect=inspect))
    assert service_image.build(Docker(), RECIPE, b"tar", {}).id == "sha256:i"


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (
            "#9 12.3 E: Unable to locate package x\n#9 ERROR: exit code: 100\n---",
            "E: Unable to locate package x",
        ),
        ("#9 1.2 ERROR: Could not find a version of x==9", "Could not find a version"),
        ("only this", "only this"),
        ("", "the build printed nothing"),
    ],
)
def test_the_first_line_tells_the_cause(lines: str, cause: str) -> None:
    message = service_image.build_failure(Finished(["docker"], 1, lines, ""))
    assert message.splitlines()[0].startswith(f"The service image could not be built: {cause}")


RAISED = """\
#14 [stage-4 8/8] RUN python -c "from server import create_app; create_app()"
#14 0.963 Traceback (most recent call last):
#14 0.963   File "<string>", line 1, in <module>
#14 0.964   File "/opt/venv/lib/python3.7/site-packages/connexion/api.py", line 3, in load
#14 0.964     __import__(name)
#14 0.986   File "/service/src/hello.py", line 6, in <module>
#14 0.986     import no_such_module
#14 0.987 ModuleNotFoundError: No module named 'no_such_module'
#14 ERROR: process "/bin/sh -c python" did not complete successfully: exit code: 1
"""


def test_an_exception_of_the_apps_own_code_is_told_with_its_place() -> None:
    """Red before: only the exception was, and the frames of Python and connexion came first."""
    told = service_image.build_failure(Finished(["docker"], 1, RAISED, "")).splitlines()
    exception = "ModuleNotFoundError: No module named 'no_such_module'"
    assert told[:6] == [
        f"The service image could not be built: {exception} (src/hello.py:6)",
        "In the app's own code:",
        '  File "src/hello.py", line 6, in <module>',
        "    import no_such_module",
        exception,
        "The running release was not touched. The build's last lines:",
    ]


def test_an_exception_of_foreign_code_is_no_fault_of_the_app() -> None:
    log = RAISED.replace("/service/src/hello.py", "/usr/lib/python3.7/hello.py")
    told = service_image.build_failure(Finished(["docker"], 1, log, "")).splitlines()
    assert told[0].endswith("ModuleNotFoundError: No module named 'no_such_module'")
    assert told[1].startswith("The running release was not touched")
