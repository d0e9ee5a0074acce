"""Telling two pipelines apart by what they mean."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion.rules.pipeline import pipeline_document, read_pipeline
from promotion.rules.pipeline.differences import tell_differences

BASE = """
service: shop
stages:
  - {name: dev, environment: dev, auto: true}
  - name: production
    environment: production
    after: [dev]
    gates: [{soak: {for: 24h}}, checksum]
    approvals: [{name: managers, count: 1, from: ["role:release manager"]}]
    windows: {allow: [{rrule: "FREQ=WEEKLY;BYDAY=MO", start: "2026-01-05T08:00", duration: 8h, zone: Europe/Berlin}]}
    steps: [{wait-for-deployment: {timeout: 20m}}, {notify: {to: releases}}]
"""
WHOLE = (Path(__file__).parent / "whole-form.yaml").read_text()


def tell(old: str, new: str) -> tuple[str, ...]:
    return tell_differences(
        pipeline_document(read_pipeline(old)), pipeline_document(read_pipeline(new))
    )


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ("count: 1", "count: 2", ["Stage production: approval rule managers, count: 1 → 2."]),
        (
            ", checksum",
            "",
            [
                "Stage production: gate checksum is removed.",
                "Stage production: rollback gate checksum is removed.",
            ],
        ),
        ("checksum]", "checksum, debt]", ["Stage production: gate debt is added."]),
        ("for: 24h", "for: 12h", ["Stage production: gate soak, for: 24h → 12h."]),
        (", auto: true", "", ["Stage dev: auto: yes → no."]),
        ("after: [dev]", "after: []", ["Stage production: after: dev → none."]),
        (
            "timeout: 20m",
            "timeout: 1h",
            ["Stage production: step wait-for-deployment, timeout: 20m → 1h."],
        ),
        (
            "{wait-for-deployment: {timeout: 20m}}, {notify: {to: releases}}",
            "{notify: {to: releases}}, {wait-for-deployment: {timeout: 20m}}",
            ["Stage production: the steps are done in another order: notify, wait-for-deployment."],
        ),
        (
            "BYDAY=MO",
            "BYDAY=TU",
            [
                "Stage production: allowed window FREQ=WEEKLY;BYDAY=MO from 2026-01-05 08:00 for"
                " 8h (Europe/Berlin) is removed.",
                "Stage production: allowed window FREQ=WEEKLY;BYDAY=TU from 2026-01-05 08:00 for"
                " 8h (Europe/Berlin) is added.",
            ],
        ),
        (
            "  - name: production",
            "  - {name: qa, environment: qa, after: [dev]}\n  - name: production",
            ["Stage qa is added, into qa after dev."],
        ),
    ],
)
def test_a_change_is_told_in_a_sentence(old: str, new: str, sentences: list[str]) -> None:
    assert old in BASE
    assert list(tell(BASE, BASE.replace(old, new))) == sentences


def test_another_order_of_stages_is_a_difference() -> None:
    stages = ["  - {name: a, environment: a}\n", "  - {name: b, environment: b}\n"]
    head = "service: shop\nstages:\n"
    assert tell(head + "".join(stages), head + "".join(reversed(stages))) == (
        "The stages stand in another order: b, a.",
    )


def test_the_first_version_differs_from_nothing_by_its_stages() -> None:
    document = pipeline_document(read_pipeline(BASE))
    told = tell_differences({}, document)
    assert "Stage dev is added, into dev." in told
    assert "Stage production is added, into production after dev." in told


@given(st.lists(st.integers(0, len(WHOLE.splitlines()) - 1), max_size=3))
def test_nothing_is_told_exactly_where_the_normal_forms_are_the_same(removed: list[int]) -> None:
    lines = [line for n, line in enumerate(WHOLE.splitlines()) if n not in removed]
    try:
        form = read_pipeline("\n".join(lines))
    except Exception:
        return
    old, new = pipeline_document(read_pipeline(WHOLE)), pipeline_document(form)
    assert bool(tell_differences(old, new)) == (old != new)
    assert bool(tell_differences(new, old)) == (old != new)
