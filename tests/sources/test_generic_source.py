"""Our own facts, checked field by field."""

import json
from typing import Any

import pytest

from promotion.sources.base import Delivery, Normalised
from promotion.sources.known import SOURCES

DIGEST = "sha256:" + "a" * 64
FACT = {
    "kind": "deployment",
    "service": "shop",
    "environment": "production",
    "digest": DIGEST,
    "result": "succeeded",
    "finished_at": "2026-03-02T10:05:01+01:00",
    "mechanism": "automated",
    "planned": False,
}


def normalise(value: Any, source: str = "generic", **headers: str) -> Normalised:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return SOURCES[source].normalise(Delivery(json.dumps(value).encode(), named))


def test_a_fact_comes_out_as_it_went_in_with_its_times_in_utc() -> None:
    (fact,) = normalise(FACT).facts
    assert fact.as_json() == FACT | {"finished_at": "2026-03-02T09:05:01Z"}


@pytest.mark.parametrize(
    ("field", "value", "note"),
    [
        ("kind", "deploy", "kind must be one of build, artifact"),
        ("kind", None, "kind must be one of"),
        ("digest", "sha256:abc", "digest must be sha256: and 64 hex digits"),
        ("commit", "main", "commit must be 6 to 40 (or 64) hex digits"),
        ("finished_at", "yesterday", "finished_at must be a time in RFC 3339"),
        ("result", "deployed", "result must be one of cancelled, failed"),
        ("mechanism", "by hand", "mechanism must be one of automated, manual, unknown"),
        ("deployment_kind", "odd", "deployment_kind must be one of hotfix, normal, rollback"),
        ("planned", "yes", "planned must be true or false"),
        ("environment", ["production"], "environment must be text"),
        ("service", True, "service must be text"),
        ("version", DIGEST, "version must be the name of a tag or release"),
    ],
)
def test_a_wrong_field_costs_its_element_and_is_named(field: str, value: object, note: str) -> None:
    found = normalise([FACT, FACT | {field: value}])
    assert len(found.facts) == 1
    assert found.notes[0].startswith("Element 2 was left out: ")
    assert note in found.notes[0]


def test_an_unknown_field_is_named_and_costs_nothing() -> None:
    found = normalise(FACT | {"colour": "blue"})
    assert len(found.facts) == 1
    assert found.notes == ("Element 1: the field colour is not known; it was left out.",)


def test_a_result_where_none_is_used_is_an_error() -> None:
    found = normalise({"kind": "artifact", "digest": DIGEST, "result": "passed"})
    assert found.notes == ("Element 1 was left out: result is not used in an artifact.",)


def test_evidence_must_say_of_which_type_it_is() -> None:
    found = normalise({"kind": "evidence", "digest": DIGEST})
    assert found.facts == ()
    assert "name must say the type of evidence" in found.notes[0]


def test_a_fact_known_by_nothing_becomes_a_note() -> None:
    found = normalise({"kind": "incident", "service": "shop", "result": "opened"})
    assert found.facts == ()
    assert "cannot be told from others" in found.notes[0]


def test_a_change_may_list_its_commits() -> None:
    commit = {
        "sha": "a" * 40,
        "message": "Fix\n\nCo-authored-by: Ana <ana@example.com>",
        "at": 1_700_000_000,
    }
    (fact,) = normalise(
        {"kind": "change", "commit": "a" * 40, "before": "b" * 40, "commits": [commit]}
    ).facts
    assert fact.details == {
        "before": "b" * 40,
        "commits": [
            {
                "sha": "a" * 40,
                "at": "2023-11-14T22:13:20Z",
                "message": commit["message"],
                "co_authors": [{"name": "Ana", "email": "ana@example.com"}],
            }
        ],
    }


@pytest.mark.parametrize("source", ["generic", "cloudevents"])
def test_a_cloudevent_may_carry_a_fact(source: str) -> None:
    event = {
        "specversion": "1.0",
        "type": "throughline.incident",
        "source": "/pager",
        "id": "7",
        "time": "2026-03-02T10:00:00Z",
        "data": {"external_id": "INC-7", "result": "opened"},
    }
    (fact,) = normalise([event], source).facts
    assert fact.as_json() == {
        "kind": "incident",
        "external_id": "INC-7",
        "result": "opened",
        "occurred_at": "2026-03-02T10:00:00Z",
    }
    assert SOURCES[source].delivery_id(Delivery(json.dumps(event).encode())) == "/pager#7"


def test_a_cloudevent_in_binary_mode_has_its_type_in_the_headers() -> None:
    headers = {
        "Ce_Type": "throughline.build",
        "Ce_Specversion": "1.0",
        "Ce_Source": "/ci",
        "Ce_Id": "1",
    }
    (fact,) = normalise({"external_id": "9", "result": "failed"}, **headers).facts
    assert (fact.kind, fact.external_id, fact.result) == ("build", "9", "failed")


def test_a_fact_may_be_sent_one_a_line() -> None:
    body = "\n".join(json.dumps(FACT | {"service": name}) for name in ("a", "b")).encode()
    found = SOURCES["generic"].normalise(Delivery(body))
    assert [fact.service for fact in found.facts] == ["a", "b"]
