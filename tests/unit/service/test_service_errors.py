"""Bad requests are answered with problem JSON, and never with a 5xx."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import server
from hypothesis import given, settings
from hypothesis import strategies as st
from src import guard, model, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

BASE = spec.base_path()
PREDICTION = f"{BASE}/prediction"
SCHEMAS = spec.load()["components"]["schemas"]
MEASUREMENTS: dict[str, Any] = SCHEMAS["Measurements"]["example"]
JSON = "application/json"


def assert_problem(response: TestResponse, status: int) -> None:
    """Check status and shape of an error."""
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    body = json.loads(response.get_data())
    assert set(body) == set(SCHEMAS["Problem"]["required"])
    assert body["status"] == status
    assert "Traceback" not in body["detail"]


@pytest.mark.parametrize("operation", ["sum", "mult"])
@pytest.mark.parametrize(
    "bad", ["x", "nan", "inf", "-inf", "1e5", "1_0", ".", "+", "1.", " ", "%00", "٣", "2%0a"]
)
def test_what_is_no_decimal_number_is_explained(
    client: FlaskClient, operation: str, bad: str
) -> None:
    for path in (f"{bad}/1", f"1/{bad}"):
        response = client.get(f"{BASE}/{operation}/{path}")
        assert_problem(response, 400)
        assert "decimal number" in json.loads(response.get_data())["detail"]


@pytest.mark.parametrize("digits", [16, 400, 3000])
def test_too_many_digits_are_refused(client: FlaskClient, digits: int) -> None:
    assert_problem(client.get(f"{BASE}/mult/{'9' * digits}/1"), 400)
    assert_problem(client.get(f"{BASE}/mult/0.{'9' * digits}/1"), 400)


@pytest.mark.parametrize("path", ["/nope", BASE, f"{BASE}/nope", f"{BASE}/sum/1"])
def test_an_unknown_path_is_404(client: FlaskClient, path: str) -> None:
    assert_problem(client.get(path), 404)


@pytest.mark.parametrize("path", ["/", *dict.fromkeys(o.path for o in spec.operations())])
def test_a_wrong_method_is_405_and_names_the_right_ones(client: FlaskClient, path: str) -> None:
    response = client.delete(path)
    assert_problem(response, 405)
    assert "GET" in response.headers["Allow"]
    assert "DELETE" not in response.headers["Allow"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 60000,
        b'"\\ud800"',
        json.dumps({**MEASUREMENTS, "extra": 1}).encode(),
        *(
            json.dumps({**MEASUREMENTS, "petal_width": value}).encode()
            for value in (
                "1",
                True,
                None,
                0,
                -1,
                21,
                10**400,
                float("nan"),
                float("inf"),
            )
        ),
    ],
    ids=lambda body: repr(body[:60]),
)
def test_a_bad_body_is_400(client: FlaskClient, body: bytes) -> None:
    assert_problem(client.post(PREDICTION, data=body, content_type=JSON), 400)


@pytest.mark.parametrize("kind", [None, "text/plain", "multipart/form-data", "x"])
def test_another_content_type_is_415(client: FlaskClient, kind: str | None) -> None:
    body = json.dumps(MEASUREMENTS)
    assert_problem(client.post(PREDICTION, data=body, content_type=kind), 415)


def test_only_a_body_above_the_limit_is_413(client: FlaskClient) -> None:
    body = json.dumps(MEASUREMENTS).ljust(guard.LARGEST_BODY_BYTES)
    assert client.post(PREDICTION, data=body, content_type=JSON).status_code == 200
    assert_problem(client.post(PREDICTION, data=body + " ", content_type=JSON), 413)


@pytest.mark.parametrize(
    ("most", "build", "reason"),
    [
        (guard.MOST_DIGITS, lambda count: b"9" * count, "digits in a row"),
        (guard.MOST_VALUES, lambda count: b"[1" + b",1" * (count - 1) + b"]", "values"),
    ],
)
def test_only_a_costly_body_is_refused_unread(
    client: FlaskClient, most: int, build: Callable[[int], bytes], reason: str
) -> None:
    details = []
    for count in (most, most + 1):
        response = client.post(PREDICTION, data=build(count), content_type=JSON)
        assert_problem(response, 400)
        details.append(json.loads(response.get_data())["detail"])
    assert [f"more than {most} {reason}" in detail for detail in details] == [False, True]


def test_only_so_many_query_parameters_are_read(client: FlaskClient) -> None:
    query = "&".join(["a=1"] * guard.MOST_QUERY_PARAMETERS)
    assert "Extra" in client.get(f"{PREDICTION}?{query}").get_data(as_text=True)
    assert_problem(client.get(f"{PREDICTION}?{query}&a=1"), 400)
    assert "parameters" in client.get(f"{PREDICTION}?{query}&a=1").get_data(as_text=True)


def test_a_body_of_unknown_length_is_411(client: FlaskClient) -> None:
    headers = {"Transfer-Encoding": "chunked"}
    assert_problem(client.post(PREDICTION, headers=headers), 411)


def test_no_detail_is_html(client: FlaskClient) -> None:
    responses = [client.post(PREDICTION, headers={"Transfer-Encoding": "chunked"})]
    responses += [client.get("/nope"), client.delete(PREDICTION), client.post(PREDICTION)]
    for response in responses:
        assert "<" not in json.loads(response.get_data())["detail"]


HOSTS = ["evil.example", 'evil"<b>', "x/../y", "x@y"]


@pytest.mark.parametrize("path", [f"{BASE}/ui", f"//{BASE}//hello", f"{BASE}/ui?a=//evil"])
@pytest.mark.parametrize("host", HOSTS)
def test_a_redirect_names_no_host(client: FlaskClient, host: str, path: str) -> None:
    response = client.get(path, headers={"Host": host})
    if response.status_code == 308:
        assert response.headers["Location"].startswith(f"{BASE}/")
        assert response.get_data() == b""
    else:
        assert_problem(response, 400)


def test_a_redirect_leads_to_the_page(client: FlaskClient) -> None:
    response = client.get(f"{BASE}/ui?a=1")
    assert response.headers["Location"] == f"{BASE}/ui/?a=1"
    assert client.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_body_that_is_not_json_is_refused_with_any_method(
    client: FlaskClient, method: str
) -> None:
    kind = "application/x-www-form-urlencoded"
    answer = client.open(f"{BASE}/hello", method=method, data=b"a=1", content_type=kind)
    assert answer.status_code == (415 if method == "GET" else 405)


@pytest.mark.parametrize("bad", ["nan", "inf", "x", "0", "20.5", ""])
def test_a_bad_measurement_in_the_query_is_400(client: FlaskClient, bad: str) -> None:
    query = {**MEASUREMENTS, "petal_width": bad}
    assert_problem(client.get(PREDICTION, query_string=query), 400)


@pytest.mark.parametrize("name", model.FEATURES)
def test_a_missing_measurement_is_named(client: FlaskClient, name: str) -> None:
    query = {key: value for key, value in MEASUREMENTS.items() if key != name}
    response = client.get(PREDICTION, query_string=query)
    assert_problem(response, 400)
    assert name in json.loads(response.get_data())["detail"]


def test_an_unknown_query_parameter_is_400(client: FlaskClient) -> None:
    assert_problem(client.get(PREDICTION, query_string={"colour": "blue"}), 400)


def test_a_fault_is_500_and_leaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("src.decimals.add", fail)
    response = server.create_app().test_client().get(f"{BASE}/sum/1/4")
    assert_problem(response, 500)
    assert b"secret" not in response.get_data()


@settings(deadline=None, max_examples=100)
@given(a=st.text(min_size=1), b=st.text(min_size=1))
def test_no_path_makes_the_service_fail(a: str, b: str) -> None:
    path = f"{BASE}/sum/{quote(a, errors='replace')}/{quote(b, errors='replace')}"
    response = APP.test_client().get(path)
    assert response.status_code < 500


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(deadline=None, max_examples=100)
@given(name=st.sampled_from(model.FEATURES), value=JSON_VALUES)
def test_no_body_makes_the_service_fail(name: str, value: object) -> None:
    body = {**MEASUREMENTS, name: value}
    response = APP.test_client().post(PREDICTION, json=body)
    assert response.status_code in (200, 400)


# hypothesis runs a test many times, fixtures only once: hence no fixture.
APP = server.create_app()


def test_a_refusal_is_explained_where_the_service_would_redirect(client: FlaskClient) -> None:
    address = spec.docs_path().rstrip("/")
    assert client.get(address).headers["Location"] == spec.docs_path()
    answer = client.get(address, headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 411
    assert answer.get_json()["detail"]
    assert "Location" not in answer.headers


@pytest.mark.parametrize("name", guard.SECURITY_HEADERS)
def test_every_response_has_the_security_headers_once(name: str) -> None:
    def answer(_environ: object, start_response: Callable[..., None]) -> list[bytes]:
        start_response("200 OK", [("X-Own", "1"), (name.lower(), "other")])
        return []

    seen: list[list[tuple[str, str]]] = []
    guard.with_security_headers(answer)({}, lambda _status, headers: seen.append(headers))
    assert seen == [[("X-Own", "1"), *guard.SECURITY_HEADERS.items()]]
