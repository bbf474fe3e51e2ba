from __future__ import annotations

import time

import pytest
from classvm.app import requirement_lines
from classvm.app.requirement_lines import Entry, Line
from hypothesis import given, settings, strategies


def read(text: str) -> Entry:
    return requirement_lines.read(Line("requirements.txt", 1, text))


def test_lines_are_joined_and_lose_comments_and_hashes() -> None:
    text = (
        "# all\nFlask_Cors[x] ==1.0 ; python_version<'4' # why\r\n\n"
        "a==2 \\\n  --hash=a:1 \\\n  --hash=a:2\nb#c\n--hash=a:3\n"
    )
    lines = list(requirement_lines.split("r.txt", text))
    assert [(one.place, one.text, one.hashed) for one in lines] == [
        ("r.txt:2", "Flask_Cors[x] ==1.0 ; python_version<'4'", False),
        ("r.txt:4", "a==2", True),
        ("r.txt:7", "b#c", False),
    ]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("flask==2.2.5", "flask==2.2.5"),
        ("python_dateutil >= 2.6.0", "python_dateutil>=2.6.0"),
        ("connexion[swagger-ui] >= 2.14 , < 3", "connexion[swagger-ui]<3,>=2.14"),
        ("numpy>=1.16.*", "numpy>=1.16"),
        ("torch==1.13.1+cpu", "torch==1.13.1"),
        ("a==1 --global-option=x", "a==1"),
        ('a==1; python_version < "4"', 'a==1; python_version < "4"'),
        ("flask===2.2.5", "flask===2.2.5"),
    ],
)
def test_lines_that_stay(line: str, wanted: str) -> None:
    entry = read(line)
    assert str(entry.wanted) == wanted
    assert entry.code == ""


@pytest.mark.parametrize(
    ("line", "code", "wanted"),
    [
        ("<<<<<<< HEAD", "CV030", None),
        ("-e git+https://git.example/a/b.git@main#egg=classtools", "CV031", None),
        ("c @ git+https://git.example/a/c.git", "CV031", None),
        ("c @ https://git.example/c.whl", "CV031", None),
        ("git@git.example:a/b.git", "CV031", None),
        ("numpy @ file:///C:/ci/numpy_1600000000112/work", "CV032", "numpy"),
        ("a[x] @ file:///opt/conda/a", "CV032", "a[x]"),
        ("-e C:\\work\\tool", "CV032", None),
        ("/srv/tool", "CV032", None),
        ("pywin32==306", "CV033", None),
        ("mkl-random @ file:///C:/ci/mkl", "CV033", None),
        ("_libgcc_mutex=0.1=main", "CV033", None),
        ("pkg_resources==0.0.0", "CV033", None),
        ("csv", "CV034", None),
        ("datetime==4.3", "CV034", None),
        ("sklearn==0.0.post1", "CV035", "scikit-learn"),
        ("sklearn", "CV035", "scikit-learn"),
        ("bs4==4.9.3", "CV035", "beautifulsoup4==4.9.3"),
        ("flask", "CV036", "flask"),
        ("flask==", "CV036", "flask"),
        ("flask==3.0.0", "CV040", "flask==3.0.0"),
        ("flask=1.1.2", "CV042", "flask==1.1.2"),
        ("attrs=19.3.0=py_0", "CV042", "attrs==19.3.0"),
        ("flask      2.2.5", "CV042", "flask==2.2.5"),
        ("flask=3.0.0", "CV040", "flask==3.0.0"),
        ("Package    Version", "CV042", None),
        ("---------- -------", "CV042", None),
        ("mytool   0.1   c:\\tool", "CV042", None),
        ("- flask", "CV042", None),
        ("_x=0.1.0=py37_0", "CV042", None),
        ("these are my packages", "CV042", None),
        ("a @ é", "CV042", None),
        ("a" * 1000, "CV042", None),
        ("flask==2.2.5 flask==1", "CV042", None),
    ],
)  # fmt: skip
def test_lines_that_cannot_stay_as_they_are(line: str, code: str, wanted: str | None) -> None:
    entry = read(line)
    assert entry.code == code
    assert (str(entry.wanted) if entry.wanted else None) == wanted
    assert entry.what
    assert entry.fix


def test_who_writes_no_version_is_told_where_to_find_one() -> None:
    # `make lock` would not do: it serves apps in classvm's own layout alone.
    assert read("flask").fix == (
        "Write the one that you use: `pip show flask` prints it."
        " The last one for Python 3.7 is 2.2.5"
    )
    assert read("my-tool").fix == "Write the one that you use: `pip show my-tool` prints it"


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("-e .", "."),
        ("--editable=./toolbox", "toolbox"),
        ("-e ./toolbox[x]", "toolbox"),
        ("./toolbox ; python_version > '3'", "toolbox"),
        ("toolbox/", "toolbox"),
        (".\\toolbox", "toolbox"),
        ("a @ file:./toolbox", "toolbox"),
        ("libs/x-1-py3-none-any.whl", "libs/x-1-py3-none-any.whl"),
        ("code/", "code"),
    ],
)
def test_local_packages(line: str, path: str) -> None:
    entry = read(line)
    assert (entry.local, entry.wanted, entry.code) == (path, None, "")


def test_a_local_package_lies_beside_the_list_that_names_it() -> None:
    line = Line("lists/base.txt", 1, "-e ../toolbox")
    assert requirement_lines.read(line).local == "toolbox"


@pytest.mark.parametrize("line", ["-i https://a", "--pre", "--extra-index-url=https://a"])
def test_settings_of_pip(line: str) -> None:
    entry = read(line)
    assert (entry.code, entry.what) == ("", "the settings of pip are those of the host")


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("-r more.txt", ("lists/more.txt", False)),
        ("-rmore.txt", ("lists/more.txt", False)),
        ("--requirement=../more.txt", ("more.txt", False)),
        ("-c c.txt", ("lists/c.txt", True)),
        ("--constraint c.txt", ("lists/c.txt", True)),
        ("flask", None),
    ],
)
def test_further_lists(line: str, target: tuple[str, bool] | None) -> None:
    assert requirement_lines.followed(Line("lists/base.txt", 1, line)) == target


def test_what_a_list_of_constraints_names_is_followed_as_constraints() -> None:
    line = Line("c.txt", 1, "-r more.txt", only_limits=True)
    assert requirement_lines.followed(line) == ("more.txt", True)


@settings(max_examples=300)
@given(
    text=strategies.text(max_size=120)
    | strategies.from_regex(r"[a-z]+(\[[a-z,]*\])?[ @=<>~!;.#'\"0-9a-z/\\-]*")
)
def test_any_line_has_a_meaning(text: str) -> None:
    started = time.process_time()
    for line in requirement_lines.split("r.txt", text):
        assert read(line.text)
        assert requirement_lines.followed(line) is None or line.text.startswith("-")
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, "a\\\n" * 100_000, "a@" * 100_000, "a [" * 100_000, "-" * 1_000_000,
     "a==1,\n" * 300_000, "\n".join(f"p{at}=={at}" for at in range(100_000)),
     " " * 1_000_000 + "#", "--hash=a " * 200_000],
    ids=range(9),
)  # fmt: skip
def test_large_lists_are_quick(text: str) -> None:
    started = time.process_time()
    for line in requirement_lines.split("r.txt", text):
        read(line.text)
        requirement_lines.followed(line)
    assert time.process_time() - started < 1
