"""The audit log: reading it, the state of its chain, and verifying it."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from promotion.actions.audit import record, seal_entries
from promotion.actions.verify_audit import verify_audit
from promotion.models import AuditEntry, AuditSeal, Role
from tests.factories import NOW, make_person, make_release, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client: Client) -> Any:
    person = make_person("mei", Role.AUDITOR)
    client.force_login(person)
    return person


def write(count: int = 3, *, seal: bool = True, **fields: Any) -> list[AuditEntry]:
    service = make_service()
    entries = [
        record(
            **{
                "action": "release.veto",
                "subject": make_release(service, f"1.{number}.0"),
                "actor": make_person("ines"),
                "at": NOW,
                "reason": f"Reason {number}",
                "details": {"digests": ["a"], "share": 0.5},
                **fields,
            }
        )
        for number in range(count)
    ]
    if seal:
        seal_entries()
    return entries


def run_command() -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_audit", stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_an_untouched_record_holds() -> None:
    write(3)
    write(2, seal=False)
    code, out = run_command()
    assert code == 0
    assert "The chain holds: 3 entries, no gap. 2 newer not sealed yet." in out
    assert AuditSeal.objects.get(sequence=3).hash in out


def test_an_empty_record_holds() -> None:
    assert run_command()[0] == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("reason", "Another."),
        ("actor_name", "Somebody"),
        ("action", "release.praise"),
        ("subject_id", "999"),
        ("subject_label", "other"),
        ("details", {"digests": ["b"]}),
        ("at", NOW.replace(year=2020)),
        ("actor", None),
        ("payload", "{}"),
        ("payload", "not json"),
    ],
)
def test_a_changed_entry_is_found_whatever_was_changed(column: str, value: Any) -> None:
    entries = write(3)
    AuditEntry.objects.filter(pk=entries[1].pk).update(**{column: value})
    code, out = run_command()
    assert code == 1
    assert "The chain is broken at 2" in out


def test_an_entry_changed_before_it_was_sealed_is_found_too() -> None:
    entries = write(2, seal=False)
    AuditEntry.objects.filter(pk=entries[0].pk).update(reason="Another.")
    assert run_command()[0] == 1


def test_a_gap_in_the_chain_is_found() -> None:
    write(4)
    AuditSeal.objects.filter(sequence=2).delete()
    code, out = run_command()
    assert code == 1
    assert "number 2 is missing; the next there is, is 3" in out


def test_a_rehashed_entry_breaks_the_one_after_it() -> None:
    write(3)
    seal = AuditSeal.objects.get(sequence=2)
    AuditSeal.objects.filter(sequence=2).update(hash="0" * 64)
    assert verify_audit().at_sequence == 2
    AuditSeal.objects.filter(sequence=2).update(hash=seal.hash)
    AuditSeal.objects.filter(sequence=3).update(previous_hash="0" * 64)
    assert verify_audit().at_sequence == 3


def test_somebody_renamed_since_does_not_break_the_chain() -> None:
    write(2)
    person = make_person("ines")
    person.username, person.last_name = "ines2", "Married"
    person.save()
    assert verify_audit().holds


def test_verifying_on_the_page_says_what_was_found_and_is_itself_on_record(
    client: Client, auditor: Any
) -> None:
    write(2)
    assert "was not checked yet" in client.get("/audit/").content.decode()
    client.post("/audit/verify/")
    html = client.get("/audit/").content.decode()
    assert "The chain holds: 2 entries, no gap." in html
    assert "by Mei" in html
    AuditEntry.objects.filter(action="release.veto").update(reason="Another.")
    client.post("/audit/verify/")
    html = client.get("/audit/").content.decode()
    assert "The chain is broken at 1" in html
    assert 'class="callout" data-status="failed"' in html
    assert AuditEntry.objects.filter(action="audit.verify", actor=auditor).count() == 2


def test_an_entry_shows_what_was_hashed_and_its_neighbours(client: Client, auditor: Any) -> None:
    entries = write(3, reason="<b>why</b>")
    html = client.get(f"/audit/{entries[1].pk}/").content.decode()
    seals = list(AuditSeal.objects.order_by("sequence"))
    for seal in seals:
        assert seal.hash in html
    assert f"/audit/{entries[0].pk}/" in html
    assert f"/audit/{entries[2].pk}/" in html
    assert "<b>why</b>" not in html
    assert "/releases/shipment-api/1.1.0/" in html


def test_an_entry_that_is_not_sealed_yet_has_a_page(client: Client, auditor: Any) -> None:
    entry = write(1, seal=False)[0]
    assert "Not sealed yet" in client.get(f"/audit/{entry.pk}/").content.decode()
    assert client.get("/audit/0/").status_code == 404


@pytest.mark.parametrize(
    "role", [Role.AUDITOR, Role.ADMINISTRATOR, Role.RELEASE_MANAGER, Role.PLATFORM_ENGINEER]
)
def test_these_roles_read_the_log(client: Client, role: str) -> None:
    client.force_login(make_person("one", role))
    assert client.get("/audit/").status_code == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
def test_others_are_told_who_may_read_it(client: Client, role: str) -> None:
    entry = write(1)[0]
    client.force_login(make_person("one", role))
    for address in ("/audit/", f"/audit/{entry.pk}/"):
        response = client.get(address)
        assert response.status_code == 403
        assert "Auditors, administrators, release managers" in response.content.decode()
    assert client.post("/audit/verify/").status_code == 403
    assert not AuditEntry.objects.filter(action="audit.verify").exists()


def test_entries_are_filtered_by_who_what_subject_and_day(client: Client, auditor: Any) -> None:
    write(2)
    write(1, action="event.replay", actor=None)

    def shown(query: str) -> int:
        return len(client.get(f"/audit/{query}").context["page"].rows)

    assert shown("") == 3
    assert shown("?who=ines") == 2
    assert shown("?who=throughline") == 1
    assert shown("?action=event.") == 1
    assert shown("?subject=1.1.0") == 1
    assert shown("?since=2026-11-23&until=2026-11-23") == 3
    assert shown("?since=2026-11-24") == 0
    html = client.get("/audit/?since=yesterday").content.decode()
    assert "Since is no day and was left out" in html


@pytest.mark.parametrize(
    "query",
    [
        "?cursor=x",
        "?cursor=99999999999999999999",
        "?who=%00",
        "?since=9999-12-31",
        "?until=0001-01-01",
    ],
)
def test_the_list_bears_filters_nobody_made(client: Client, auditor: Any, query: str) -> None:
    write(1)
    assert client.get(f"/audit/{query}").status_code == 200


def test_the_lists_queries_do_not_grow_and_paging_shows_every_entry_once(
    client: Client, auditor: Any, django_assert_num_queries: Any
) -> None:
    write(1)
    client.get("/audit/")
    with CaptureQueriesContext(connection) as few:
        client.get("/audit/")
    write(60)
    with django_assert_num_queries(len(few)):
        first = client.get("/audit/").context["page"]
    second = client.get("/audit/", {"cursor": first.next_cursor}).context["page"]
    shown = [entry.pk for entry in (*first.rows, *second.rows)]
    assert len(shown) == len(set(shown)) == 61
    assert shown == sorted(shown, reverse=True)
