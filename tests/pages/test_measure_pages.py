"""The measures: figures with n, their rows, their targets; bad addresses never break a page."""

import csv
import io
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from metrics.actions.refresh_facts import refresh_stale
from metrics.described import BY_SLUG
from metrics.models import MeasureTarget, PageView
from promotion.models import Approval, AuditEntry, Role, Token
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
    make_team,
    make_token,
)

pytestmark = pytest.mark.django_db
SLUGS = tuple(BY_SLUG)
LATER = NOW + timedelta(days=20)


@pytest.fixture(autouse=True)
def later():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_person("ines", Role.RELEASE_MANAGER))
    return client


def deliver(slug: str, team: str = "shipping", count: int = 6) -> None:
    """Releases of a service, each through dev and staging to production, the last by hand."""
    service, places = make_service(slug, team=make_team(team)), make_environments()
    make_pipeline(service, at=NOW - timedelta(days=1))
    person = make_person("mei")
    for number in range(count):
        at = NOW + timedelta(days=number)
        release = make_release(service, f"1.{number}.0", at=at)
        for hour, place in enumerate(("dev", "staging"), start=1):
            make_deployment(
                release, places[place], at=at + timedelta(hours=hour), mechanism="automated"
            )
        ended = at + timedelta(hours=4)
        promotion = make_promotion(
            release,
            places["production"],
            state=State.SUCCEEDED,
            at=ended - timedelta(hours=1),
            started_at=ended - timedelta(minutes=30),
            ended_at=ended,
        )
        Approval.objects.create(
            promotion=promotion,
            person=person,
            decision="approve",
            content_hash=promotion.content_hash,
            at=ended - timedelta(minutes=40),
        )
        make_deployment(
            release,
            places["production"],
            at=ended,
            promotion=promotion,
            mechanism="manual" if number == count - 1 else "",
        )


def lines_of(client: Client, query: str = "") -> dict[str, object]:
    page = client.get(reverse("measure-list") + query)
    assert page.status_code == 200
    return {line.described.slug: line for line in page.context["lines"]}


def test_the_five_figures_stand_with_their_n(client):
    deliver("shipment-api")

    lines = lines_of(client)

    shown = {slug: (line.shown.number, line.shown.evidence) for slug, line in lines.items()}
    assert shown == {
        "automated-share": ("83.3", "5 of 6 production deployments"),
        "first-pass": ("100.0", "6 of 6 promotions asked for"),
        "build-to-production": ("4", "n = 6"),
        "traceability": ("100.0", "6 of 6 releases in production"),
        "failures": ("0", "in 6 production deployments"),
    }
    assert {line.target for line in lines.values()} == {"No target set"}


def test_nothing_is_no_zero(client):
    make_environments()
    page = client.get(reverse("measure-list"))

    assert "No events had been received by then." in page.content.decode()
    assert all(line.no_data and not line.shown.number for line in page.context["lines"])
    assert not page.context["charts"]


def test_fewer_than_five_are_told_as_k_of_n(client):
    deliver("shipment-api", count=3)

    lines = lines_of(client)

    assert lines["automated-share"].shown.number == "2 of 3"
    assert lines["build-to-production"].shown.number == ""
    assert "a median needs 5" in lines["build-to-production"].shown.evidence


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("has_data", [True, False])
def test_every_measure_has_its_definition_beside_its_number(client, slug, has_data):
    if has_data:
        deliver("shipment-api")

    page = client.get(reverse("measure-detail", args=[slug]))

    text = page.content.decode()
    assert page.status_code == 200
    assert "How it is counted" in text
    assert "Definition v1" in text
    assert bool(page.context["charts"]) is has_data
    for chart in page.context["charts"]:
        assert all(len(row) == len(chart.columns) for row in chart.rows)
        assert "template" not in chart.figure["layout"]


@pytest.mark.parametrize("slug", SLUGS)
def test_the_rows_are_those_the_figure_counts(client, slug):
    deliver("shipment-api")

    page = client.get(reverse("measure-rows", args=[slug]))

    assert page.status_code == 200
    assert page.context["page"].paginator.count == 6
    assert page.context["result"].n == 6
    assert reverse("release-detail", args=["shipment-api", "1.0.0"]) in page.content.decode()


def test_rows_are_filtered_and_sorted(client):
    deliver("shipment-api")
    address = reverse("measure-rows", args=["automated-share"])

    by_hand = client.get(address, {"verdict": "manual"}).context["rows"]
    oldest = client.get(address, {"sort": "at"}).context["rows"]

    assert [each["row"].verdict for each in by_hand] == ["manual"]
    times = [each["row"].at for each in oldest]
    assert times == sorted(times)


def test_rows_as_csv_name_definition_period_filters_and_as_of(client):
    deliver("shipment-api")
    answer = client.get(
        reverse("measure-rows-csv", args=["automated-share"]), {"service": "shipment-api"}
    )

    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))

    assert len(rows) == 6
    assert {row["definition"] for row in rows} == {"v1"}
    assert {row["filters"] for row in rows} == {"service=shipment-api"}
    assert {row["as_of"] for row in rows} == {LATER.isoformat().replace("+00:00", "Z")}
    assert {row["from"] for row in rows} == {"2026-09-15"}
    assert sum(row["in_numerator"] == "yes" for row in rows) == 5


def test_a_team_narrows_every_figure(client):
    deliver("shipment-api")
    deliver("invoice", team="billing", count=2)

    assert lines_of(client, "?team=billing")["automated-share"].shown.number == "1 of 2"
    assert lines_of(client)["automated-share"].shown.evidence.startswith("6 of 8")


def test_as_of_an_earlier_time_only_what_was_received_by_then_counts(client):
    deliver("shipment-api")
    at = (NOW + timedelta(days=2, hours=12)).isoformat().replace("+00:00", "Z")

    assert lines_of(client, f"?as_of={at}")["automated-share"].shown.number == "3 of 3"


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2026-02-30",
        "to=0001-01-01",
        "from=9999-12-31&to=9999-12-31",
        "from=2026-11-01&to=2026-10-01",
        "from=1900-01-01",
        "period=forever",
        "team=nobody",
        "service=%00",
        "environment=moon",
        "kind=odd",
        "as_of=noon",
        "as_of=2026-11-01",
        "as_of=9999-12-31T23:59:59-14:00",
        "as_of=0001-01-01T00:00:00%2B14:00",
        "as_of=0001-01-02T00:00:00Z",
        "as_of=2027-12-31T00:00:00Z",
        "as_of=9999-12-31T12:00:00Z",
    ],
)
def test_a_bad_filter_is_told_and_the_page_stands(client, query):
    deliver("shipment-api", count=1)
    for address in (
        reverse("measure-list"),
        reverse("measure-detail", args=["first-pass"]),
        reverse("measure-rows", args=["first-pass"]),
    ):
        page = client.get(f"{address}?{query}")
        assert page.status_code == 200
        assert page.context["bar"].asked.problems


@pytest.mark.parametrize("query", ["page=-1", "page=x", "sort=--", "verdict=%00", "set=nothing"])
def test_bad_paging_shows_the_rows_there_are(client, query):
    deliver("shipment-api", count=1)
    page = client.get(f"{reverse('measure-rows', args=['failures'])}?{query}")
    assert page.status_code == 200


def test_an_unknown_measure_is_not_found(client):
    for name in ("measure-detail", "measure-rows", "measure-rows-csv"):
        assert client.get(reverse(name, args=["happiness"])).status_code == 404


def test_a_target_is_met_or_missed_only_by_the_whole_interval(client):
    deliver("shipment-api", count=8)
    address = reverse("measure-target", args=["traceability"])

    verdicts = []
    for value in ("50", "90", ""):
        assert client.post(address, {"value": value}).status_code == 302
        verdicts.append(lines_of(client)["traceability"].verdict)

    assert verdicts == ["Meets target", "Too close to call", "No target set"]
    assert MeasureTarget.objects.count() == 3
    assert AuditEntry.objects.filter(action="measure.set-target").count() == 3


def test_the_narrowest_target_holds(client):
    deliver("shipment-api")
    address = reverse("measure-target", args=["build-to-production"])
    for given in ({"value": "36"}, {"value": "12", "team": "shipping"}):
        client.post(address, given)

    assert lines_of(client)["build-to-production"].target.endswith("1\u00a0d\u00a012\u00a0h")
    narrowed = lines_of(client, "?service=shipment-api")["build-to-production"]
    assert narrowed.target.endswith("12\u00a0h")


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "many", "101"])
def test_a_target_that_cannot_be_is_not_set(client, value):
    client.post(reverse("measure-target", args=["first-pass"]), {"value": value})
    assert not MeasureTarget.objects.exists()


def test_a_member_sets_no_target(client):
    client.force_login(make_person("tomasz", Role.MEMBER, team=make_team()))
    answer = client.post(reverse("measure-target", args=["first-pass"]), {"value": "90"})

    assert answer.status_code == 403
    assert not MeasureTarget.objects.exists()


def test_looking_is_told_by_a_post_and_kept_once_a_day(client):
    team = make_team()
    client.force_login(make_person("tomasz", Role.MEMBER, team=team))
    client.get(reverse("measure-list"))
    assert not PageView.objects.exists()

    for _ in range(2):
        assert client.post(reverse("measure-viewed")).status_code == 204

    assert [view.team for view in PageView.objects.all()] == [team]
    assert client.get(reverse("measure-viewed")).status_code == 405


def test_the_number_of_queries_does_not_grow_with_the_record(client, django_assert_max_num_queries):
    for number in range(4):
        deliver(f"service-{number}", team=f"team-{number}", count=3)
    refresh_stale(LATER)

    for name, arguments in (
        ("measure-list", []),
        ("measure-detail", ["first-pass"]),
        ("measure-rows", ["automated-share"]),
    ):
        with django_assert_max_num_queries(39):
            client.get(reverse(name, args=arguments))


def test_the_api_gives_the_same_figures_with_all_that_is_needed_to_check_them():
    deliver("shipment-api")
    _, text = make_token(Token.Scope.READ, user=make_person("mei"))
    headers = {"Authorization": f"Bearer {text}"}

    answer = Client().get("/api/v1/measures", headers=headers).json()

    assert (answer["definition"], answer["as_of"]) == ("v1", LATER.isoformat())
    figures = {each["name"]: each for each in answer["measures"]}
    share = figures["automated_share"]
    assert (share["numerator"], share["denominator"]) == (5, 6)
    assert share["details"]["manual"] == 1
    assert figures["build_to_production"]["value"] == 4.0
    rows = Client().get(share["rows"], headers=headers).json()
    assert len(rows["results"]) == 6
    assert rows["next"] is None


def test_rows_of_the_api_are_paged_without_a_gap():
    deliver("shipment-api")
    _, text = make_token(Token.Scope.READ, user=make_person("mei"))
    headers = {"Authorization": f"Bearer {text}"}
    address: str | None = "/api/v1/measures/automated_share/rows?limit=4"
    units = []
    while address:
        page = Client().get(address, headers=headers).json()
        units += [row["unit"] for row in page["results"]]
        address = page["next"]

    assert len(units) == len(set(units)) == 6


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/measures?from=soon", 400),
        ("/api/v1/measures?team=nobody", 400),
        ("/api/v1/measures/first_pass/rows?limit=0", 400),
        ("/api/v1/measures/first_pass/rows?cursor=%25%25", 400),
        ("/api/v1/measures/happiness/rows", 404),
    ],
)
def test_the_api_refuses_in_a_sentence(address, status):
    _, text = make_token(Token.Scope.READ, user=make_person("mei"))
    answer = Client().get(address, headers={"Authorization": f"Bearer {text}"})

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"].endswith(".")


def test_the_api_asks_who_calls():
    assert Client().get("/api/v1/measures").status_code == 401
    _, text = make_token(Token.Scope.EVENTS)
    headers = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/measures", headers=headers).status_code == 403
