from __future__ import annotations

from classvm.app.located import load, walk

TEXT = """\
a: 1
b:
  - c: [x, y]
  - 200: z
"""


def test_each_value_has_its_place() -> None:
    found = load("a.yml", TEXT)
    assert found.value == {"a": 1, "b": [{"c": ["x", "y"]}, {200: "z"}]}
    assert found.at_key(("b", 0, "c")) == (3, 5)
    assert found.at_value(("b", 0, "c", 1)) == (3, 12)
    assert found.at_key(("b", 1, 200)) == (4, 5)
    assert found.at_key(("b", 7, "nowhere")) == (2, 1)


def test_both_contents_of_a_key_that_stands_twice_are_kept() -> None:
    found = load("a.yml", "p:\n  get: 1\nq: 2\np:\n  put: 3\n")
    assert found.value == {"p": {"get": 1, "put": 3}, "q": 2}
    assert [(one.code, one.place) for one in found.findings] == [("CV005", "a.yml:4:1")]


def test_a_document_beyond_the_bounds_is_a_finding() -> None:
    for text in ("[" * 100_000, "a: b\n" * 1_000_000, "- a\n" * 100_000, "a: &a [*a]"):
        assert [one.code for one in load("a.yml", text).findings] == ["CV002"]


def test_a_document_that_is_not_yaml_has_a_caret() -> None:
    finding = load("a.yml", "a: 1\nb: [1, 2\nc: 3\n").findings[0]
    assert (finding.code, finding.line) == ("CV001", 3)
    assert finding.excerpt.startswith("c: 3\n")
    assert finding.excerpt.endswith("^")


def test_a_value_that_does_not_fit_its_tag_is_a_finding() -> None:
    for value in ("!!timestamp zz", "!!bool q", "!!int abc", "!!float z", "2024-02-30"):
        assert [one.code for one in load("a.yml", f"a: {value}\n").findings] == ["CV001"]


def test_every_value_is_visited() -> None:
    assert list(walk({"a": [1]})) == [((), {"a": [1]}), (("a",), [1]), (("a", 0), 1)]
