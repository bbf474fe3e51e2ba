"""The deploys of apps for real: outcomes, comparisons, the document. No deploy happens here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import apps
import pytest
from app_expected import Answer, Expected
from apps import Deploy, Result

LIVE = "PLAY\nclassvm: release 1a2b is up at http://h:1/ (3 operations verified, 4 changed)\n"
AGAIN = "classvm: release 1a2b is up at http://h:1/ (3 operations verified, 0 changed)\n"
REFUSED = "lines\nclassvm: localhost failed: a.yml:3: `intger` is no type\n"
BROKE = "ERROR! No module\n"


@dataclass(frozen=True)
class FakeTarget(apps.Target):
    """Answers each deploy with the next text, which tells whether it succeeded."""

    url: str = "http://127.0.0.1:1"
    texts: list[str] = field(default_factory=list)
    during: Callable[[Path], object] = Path.exists

    def deploy(self, folder: Path) -> Deploy:
        self.during(folder)
        text = self.texts.pop(0)
        return Deploy(0 if " is up " in text else 2, text, 1.5)


def tried(app: Expected, folder: Path, *texts: str, before: Expected | None = None) -> Result:
    return apps.try_app(app, folder, FakeTarget(texts=list(texts)), before)


@pytest.mark.parametrize(
    ("text", "outcome", "changed"),
    [(LIVE, "lives", 4), (AGAIN, "lives", 0), (REFUSED, "refused", -1), (BROKE, "broke", -1)],
)
def test_the_outcome_of_a_deploy(text: str, outcome: str, changed: int) -> None:
    deploy = Deploy(0 if "is up" in text else 1, text, 1.0)
    assert (deploy.outcome, deploy.changed) == (outcome, changed)


def test_the_closing_line_is_the_last_of_ours() -> None:
    assert Deploy(2, f"{REFUSED}make: *** [deploy] Error 2\n", 1).closing.endswith("is no type")
    assert Deploy(1, "only this\n\n", 1).closing == "only this"
    assert Deploy(1, "", 1).closing == ""


def test_an_app_that_lives_as_expected(tmp_path: Path) -> None:
    result = tried(Expected("a", outcome="lives"), tmp_path, LIVE, AGAIN)
    assert (result.outcome, result.problems, result.again) == ("lives", [], 1.5)
    assert result.sentence == "3 operations verified"


@pytest.mark.parametrize(
    ("app", "texts", "problem"),
    [
        (Expected("a", outcome="lives"), [LIVE, LIVE], "the second deploy is no no-op"),
        (Expected("a", outcome="lives"), [LIVE, REFUSED], "the second deploy refused"),
        (Expected("a", outcome="lives"), [REFUSED], "it refused: classvm: localhost failed"),
        (Expected("a", outcome="refused"), [LIVE, AGAIN], "it lives: classvm: release"),
        (Expected("a"), [BROKE], "it broke: ERROR! No module"),
        (Expected("a", sentence=["colon"]), [REFUSED], "the deploy does not say: colon"),
        (
            Expected("a", outcome="refused", sentence=["lines"]),
            [REFUSED],
            "the closing line does not say it",
        ),
        (Expected("a", answers=[Answer("GET", "/")]), [LIVE, AGAIN], "GET /: "),
    ],
)
def test_what_is_not_as_expected(
    app: Expected, texts: list[str], problem: str, tmp_path: Path
) -> None:
    (told,) = tried(app, tmp_path, *texts).problems
    assert told.startswith(problem)


def test_a_refusal_as_expected(tmp_path: Path) -> None:
    app = Expected("a", outcome="refused", sentence=["a.yml:3", "intger", "lines"])
    result = tried(app, tmp_path, REFUSED)
    assert (result.problems, result.again) == ([], None)
    assert result.sentence == "a.yml:3: `intger` is no type"


def test_the_release_before_a_refusal_has_to_stay(tmp_path: Path) -> None:
    before = Expected("b", answers=[Answer("GET", "/b", json=1, has_json=True)])
    result = tried(Expected("a", outcome="refused"), tmp_path, REFUSED, before=before)
    assert result.problems[0].startswith("the release before it: GET /b: ")


def test_a_deploy_must_not_change_the_folder(tmp_path: Path) -> None:
    target = FakeTarget(texts=[REFUSED], during=lambda folder: (folder / "new").touch())
    result = apps.try_app(Expected("a"), tmp_path, target, None)
    assert result.problems == ["the deploy changed the app's folder"]


def test_the_first_noteworthy_line_stands_in_the_table(tmp_path: Path) -> None:
    text = f"  - a.py:3 listens on 9000 | here\n{LIVE}"
    result = tried(Expected("a", sentence=["a.py:3"]), tmp_path, text, AGAIN)
    assert result.sentence == "a.py:3 listens on 9000 | here"
    assert apps.markdown([result]).splitlines()[-1].endswith("9000 \\| here |")


def test_a_long_sentence_is_shortened() -> None:
    assert apps.shortened("a " * 300) == f"{'a ' * 99}a…"


def test_apps_are_laid_out_where_they_are_or_in_a_new_folder(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "made").mkdir()
    (tmp_path / "made/m.py").write_text("open('x', 'w')")
    wanted = [
        Expected("there"),
        Expected("made", prepare="m.py"),
        Expected("new", files={"a": "b"}),
    ]
    with apps.laid_out(wanted, tmp_path) as there:
        folders = [folder for _, folder in there]
        assert folders[0] == tmp_path / "there"
        assert (folders[1] / "x").exists()
        assert not (tmp_path / "made/x").exists()
        assert (folders[2] / "a").read_text() == "b"
    assert not folders[1].exists()


def test_the_apps_that_are_chosen(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    table = tmp_path / "expected.yml"
    table.write_text("b: {outcome: lives}\nc: {quick: true}\n")

    def names(*words: str) -> list[str]:
        return [app.name for app in apps.chosen(apps.parse(words))]

    folder = str(tmp_path)
    assert names(folder) == ["b", "c"]
    assert names(folder, "--expected", str(table), "--scope", "quick") == ["c"]
    assert names(folder, "--only", "b") == ["b"]
    assert "lab-layout" in names()
    assert set(names("--scope", "quick")) < set(names())


@pytest.mark.parametrize("words", [("--limit", "a"), ("--expected", "f"), ("--scope", "some")])
def test_wrong_usage(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        apps.parse(words)


def a_result(name: str, *problems: str) -> Result:
    return Result(name, "lives", 12.3, 4.5, "fine", problems)


def test_a_line_for_each_app() -> None:
    assert a_result("a").line.split() == [
        "✔",
        "a",
        "lives",
        "12.3",
        "s",
        "again",
        "4.5",
        "s",
        "fine",
    ]
    assert a_result("a", "no").line.startswith("✘")
    assert a_result("a", "no").cells[1] == "NOT AS EXPECTED: lives"


def test_a_section_is_written_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "apps.md"
    apps.write_table(path, "One", [a_result("a")])
    apps.write_table(path, "Two", [a_result("b", "no")])
    apps.write_table(path, "One", [a_result("c")])
    text = path.read_text()
    assert text.startswith(f"{apps.INTRODUCTION}\n## One\n\n| app |")
    assert text.count("## ") == 2
    assert "| a |" not in text
    assert "| c | lives | 12.3 | 4.5 | fine |\n\n1 of 1 as expected, 1 live.\n\n## Two" in text
    assert text.endswith("0 of 1 as expected, 1 live.\n")


def test_all_apps_are_tried_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = FakeTarget(texts=[LIVE, AGAIN, REFUSED])
    logs = tmp_path / "logs"
    logs.mkdir()
    folder = tmp_path / "app"
    folder.mkdir()
    results = apps.try_all([(Expected("a/b"), folder), (Expected("c"), folder)], target, logs)
    assert [one.outcome for one in results] == ["lives", "refused"]
    assert (logs / "a-b.log").read_text() == LIVE
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["a/b", "c"]


def test_a_second_run_is_kept_away(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with apps.alone(lock), pytest.raises(SystemExit, match="another run"), apps.alone(lock):
        pass
    with apps.alone(lock):
        pass
