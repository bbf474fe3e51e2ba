from __future__ import annotations

import pytest
from classvm.app import dockerfile

LAB = """
FROM ubuntu:18.04
RUN apt-get update -y && apt-get install -y python3.7 \\
# a comment between continued lines
      build-essential curl
EXPOSE 8081
CMD ["python", "server.py"]
"""


def test_continued_lines_are_one_instruction() -> None:
    found = dockerfile.read(LAB)
    assert [(one.line, one.name) for one in found] == [
        (2, "FROM"),
        (3, "RUN"),
        (6, "EXPOSE"),
        (7, "CMD"),
    ]
    assert dockerfile.exposed(found) == [(6, "8081", range(8081, 8082))]
    assert dockerfile.command(found) == ["python", "server.py"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "none"),
        (LAB, "lab"),
        (LAB.replace("curl", "figlet"), "own"),
        (LAB.replace("ubuntu:18.04", "python:3.7-slim"), "own"),
        ("FROM ubuntu:18.04 AS a\nFROM a\n", "lab"),
    ],
)
def test_the_kind(text: str, kind: str) -> None:
    assert dockerfile.kind(dockerfile.read(text)) == kind


def test_packages_beyond_python_are_found() -> None:
    text = LAB.replace("curl", "libmagic1 figlet") + "RUN apt install -y figlet; pip install x\n"
    assert dockerfile.apt_packages(dockerfile.read(text)) == ["libmagic1", "figlet"]


@pytest.mark.parametrize("rest", ["python a.py", '["python", "a.py"]'])
def test_both_forms_of_a_command(rest: str) -> None:
    found = dockerfile.read(f"ENTRYPOINT {rest}\nCMD -v\n")
    assert dockerfile.command(found) == ["python", "a.py", "-v"]


@pytest.mark.parametrize("start", ["<<EOF", "<<-EOF", "<<'EOF'", '<<"EOF"'])
def test_a_here_document_is_no_instruction(start: str) -> None:
    text = f"FROM ubuntu:18.04\nRUN {start}\napt-get install -y figlet\n# a\nEOF\nEXPOSE 80\n"
    found = dockerfile.read(text)
    assert [(one.line, one.name) for one in found] == [(1, "FROM"), (2, "RUN"), (6, "EXPOSE")]
    assert dockerfile.apt_packages(found) == ["figlet"]


def test_shifts_and_words_of_a_shell_are_no_here_document() -> None:
    found = dockerfile.read("FROM a\nRUN echo $((1 << 2)) <<< b\nEXPOSE 80\n")
    assert [one.name for one in found] == ["FROM", "RUN", "EXPOSE"]


@pytest.mark.parametrize(
    ("rest", "ports"),
    [
        ("80-90", [range(80, 91)]),
        ("80/tcp 81", [range(80, 81), range(81, 82)]),
        ("$PORT", []),
        ("90-80", [range(90, 81)]),
    ],
)
def test_exposed_ports(rest: str, ports: list[range]) -> None:
    found = dockerfile.exposed(dockerfile.read(f"FROM a\nEXPOSE {rest}\n"))
    assert [one for _, _, one in found] == ports


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("FROM a", "/"),
        ("FROM a\nWORKDIR src/", "/src"),
        ("FROM a\nWORKDIR /usr\nWORKDIR src/app", "/usr/src/app"),
        ("FROM a\nWORKDIR /x\nFROM b\nWORKDIR '/y'", "/y"),
    ],
)
def test_the_folder_of_the_command(text: str, folder: str) -> None:
    assert dockerfile.workdir(dockerfile.read(text)) == folder
