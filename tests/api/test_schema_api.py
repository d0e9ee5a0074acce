"""The OpenAPI document, and that nothing sent at its addresses breaks us."""

import json
import re

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from promotion.models import Role
from tests.factories import make_promotion, make_release_manager

pytestmark = pytest.mark.django_db
GARBAGE = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"[[[",
    b"\xff\xfe\x00",
    b'"\\u0000"',
    b'{"service": {"a": []}, "release": [], "environment": 1e400, "content_hash": []}',
    b'{"service": "\\ud800", "release": "x", "environment": "y", "digest": "z"}',
    b'[{"service": 1, "environment": null, "digest": {}}, 5, null]',
    b'{"kind": "deployment", "service": "\\u0000", "finished_at": "0001-01-01T00:00:00+14:00"}',
]
VALUES = ["", "x", "\x00", "-1", "9" * 30, "2026-13-45", "0001-01-01T00:00:00+14:00", "ÿ" * 400]


@pytest.fixture
def document():
    answer = APIClient().get("/api/schema/", {"format": "json"})
    assert answer.status_code == 200
    return json.loads(answer.content)


def test_the_document_is_openapi_3_1_and_has_no_warnings(document, capsys):
    assert document["openapi"].startswith("3.1")
    call_command("spectacular", "--validate", "--fail-on-warn")
    assert "Warning" not in capsys.readouterr().err


def test_every_operation_names_what_it_does_and_how_it_may_be_refused(document):
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path == "/api/schema/" or ("promotion" in path and method == "parameters"):
                continue
            assert operation["operationId"], path
            assert "401" in operation["responses"], (path, method)


def test_what_must_stay_stable_is_there(document):
    assert {
        "/api/v1/events",
        "/api/v1/events/{id}",
        "/api/v1/services",
        "/api/v1/environments",
        "/api/v1/artifacts",
        "/api/v1/releases",
        "/api/v1/deployments",
        "/api/v1/promotions",
        "/api/v1/incidents",
        "/api/v1/promotions/{number}/approve",
        "/api/v1/promotions/{number}/reject",
        "/api/v1/promotions/{number}/cancel",
        "/api/v1/promotions/{number}/retry",
        "/api/v1/promotions/{number}/explain",
        "/api/v1/assert",
        "/api/v1/trace/{digest}",
        "/api/v1/observations",
    } <= set(document["paths"])


def addresses(document, lane):
    promotion = make_promotion(lane.release, lane.production)
    known = {"number": promotion.pk, "id": 1, "slug": "shipment-api", "digest": lane.digest}
    for path, operations in document["paths"].items():
        yield re.sub(r"{(\w+)}", lambda match: str(known.get(match[1], "1")), path), operations


def test_no_body_breaks_an_operation(document, lane, call_as):
    person = make_release_manager("luca")
    client = call_as("read", "events", "promote", "approve", "hold", "except", user=person)
    assert person.has_role(None, Role.RELEASE_MANAGER)
    client.raise_request_exception = False
    for url, operations in addresses(document, lane):
        for method in set(operations) & {"post", "put", "patch"}:
            for body in GARBAGE:
                answer = client.generic(method.upper(), url, body, content_type="application/json")
                assert answer.status_code < 500, (method, url, body)


def test_no_query_breaks_an_operation(document, lane, reader):
    reader.raise_request_exception = False
    for url, operations in addresses(document, lane):
        for parameter in operations.get("get", {}).get("parameters", []):
            if parameter["in"] != "query":
                continue
            for value in VALUES:
                answer = reader.get(url, {parameter["name"]: value})
                assert answer.status_code < 500, (url, parameter["name"], value)
