from __future__ import annotations

import pytest
from classvm.app import known_pairs
from classvm.app.packages import foreign, normal
from packaging.requirements import Requirement


def limits(*texts: str) -> dict[str, str]:
    wanted = {normal(one.name): one for one in map(Requirement, texts)}
    return {one.helper: one.version for one in known_pairs.limits(wanted)}


OF_FLASK_1 = {"jinja2": "<3.1", "markupsafe": "<2.1", "itsdangerous": "<2.1", "werkzeug": "<2"}


@pytest.mark.parametrize(
    ("texts", "desired"),
    [
        (["Flask==1.1.2"], OF_FLASK_1),
        (["Flask==0.12.4"], {**OF_FLASK_1, "werkzeug": "<1"}),
        (["Flask==2.1.3"], {"werkzeug": "<2.2"}),
        (["Flask==2.2.5"], {}),
        (["Flask"], {}),
        (["Flask>=1.0"], {}),
        (["Flask==1.1.2", "Werkzeug==1.0.1", "Jinja2>=2"],
         {name: OF_FLASK_1[name] for name in ("jinja2", "markupsafe", "itsdangerous")}),
        (["connexion==2.7.0", "Flask==2.0.3"],
         {"openapi-spec-validator": "<0.3", "jsonschema": "<4", "werkzeug": "<2.2"}),
        (["connexion==2.9.0"], {**OF_FLASK_1, "flask": "<2"}),
        (["connexion==2.10.0"], {}),
        (["flask-restplus==0.13.0"], {**OF_FLASK_1, "flask": "<2", "werkzeug": "<1"}),
        (["connexion==2.14.2"], {}),
        (["Flask-SQLAlchemy==2.5.1"], {"sqlalchemy": "<2"}),
        (["connexion==2.9.0", "Flask-SQLAlchemy"],
         {**OF_FLASK_1, "flask": "<2", "flask-sqlalchemy": "<3", "sqlalchemy": "<2"}),
    ],
)  # fmt: skip
def test_an_old_package_needs_helpers_of_its_time(
    texts: list[str], desired: dict[str, str]
) -> None:
    assert limits(*texts) == desired


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("a==1.9", True),
        ("a==2", False),
        ("a<2", True),
        ("a<2.1", False),
        ("a<=1.9", True),
        ("a<=2", False),
        ("a~=1.1", True),
        ("a~=2.0.1", False),
        ("a~=1.1.2", True),
        ("a==1.*", True),
        ("a==2.*", False),
        ("a!=1.*", False),
        ("a>=1", False),
        ("a>=1,<2", True),
        ("a===odd", False),
    ],
)
def test_what_allows_only_versions_below(text: str, below: bool) -> None:
    assert known_pairs.is_below(Requirement(text), "2") is below


def test_the_table_names_packages_as_the_index_does() -> None:
    for name, _, helpers in known_pairs.PAIRS:
        for text in (name, *helpers):
            one = Requirement(text.lstrip("?"))
            assert one.name == normal(one.name)
            assert not foreign(one.name)


def test_what_a_limit_brings_about_is_laid_to_the_package_of_the_list() -> None:
    found = known_pairs.limits({"connexion": Requirement("connexion==2.9.0")})
    assert {one.package for one in found} == {"connexion"}
