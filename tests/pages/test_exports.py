"""What goes out of the measures: OpenMetrics, CSV and JSON, each saying what it was asked."""

import csv
import io
from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from metrics.summaries import last_span, read_span, span_at
from metrics.tasks import tell_summaries
from promotion.models import Notification, NotificationChoice, Role, Token
from tests.factories import NOW, make_environments, make_person, make_token
from tests.pages.test_measure_pages import deliver

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=20)
HEAD = ("definition", "from", "to", "zone", "as_of", "filters")


@pytest.fixture(autouse=True)
def later():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_person("ines", Role.RELEASE_MANAGER))
    return client


def bearer(scope=Token.Scope.READ) -> dict[str, str]:
    _, text = make_token(scope)
    return {"Authorization": f"Bearer {text}"}


def scrape(query: str = "") -> dict[tuple[str, str], float]:
    """The samples by name and service, read by the parser of Prometheus' own client."""
    answer = Client().get(f"/metrics{query}", headers=bearer())
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    return {
        (sample.name, sample.labels.get("service", "")): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def read_csv(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_prometheus_reads_the_figures_in_base_units():
    deliver("shipment-api")

    samples = scrape()

    assert samples["throughline_automated_share_ratio", ""] == pytest.approx(5 / 6)
    assert samples["throughline_automated_share_n", ""] == 6
    assert samples["throughline_build_to_production_median_seconds", ""] == 4 * 3600
    assert samples["throughline_failures", ""] == 0
    assert samples["throughline_failures_ratio", ""] == 0
    assert samples["throughline_as_of_timestamp_seconds", ""] == LATER.timestamp()


def test_no_data_is_an_absent_sample_and_no_zero():
    make_environments()

    samples = scrape()

    told = {name for name, _ in samples}
    assert told == {
        "throughline_question_info",
        "throughline_as_of_timestamp_seconds",
        "throughline_services_behind",
    }


def test_each_service_is_told_where_it_is_asked_for():
    deliver("shipment-api")
    deliver("label-api", count=2)

    assert ("throughline_traceability_n", "label-api") not in scrape()
    samples = scrape("?by=service")
    assert samples["throughline_traceability_n", "label-api"] == 2
    assert samples["throughline_traceability_n", "shipment-api"] == 6
    assert ("throughline_build_to_production_median_seconds", "label-api") not in samples


def test_the_scrape_names_definition_period_and_filters():
    deliver("shipment-api")
    answer = Client().get("/metrics?service=shipment-api&period=30", headers=bearer())

    families = list(text_string_to_metric_families(answer.content.decode()))
    labels = next(f for f in families if f.name == "throughline_question").samples[0].labels
    assert (labels["definition"], labels["service"]) == ("v1", "shipment-api")
    assert labels["as_of"] == answer["Throughline-As-Of"]
    assert answer["Throughline-Filters"] == "service=shipment-api"


def test_a_scrape_needs_a_token_that_reads_unless_it_is_set_open(settings):
    assert Client().get("/metrics").status_code == 401
    assert Client().get("/metrics", headers={"Authorization": "Bearer tl_no"}).status_code == 401
    assert Client().get("/metrics", headers=bearer(Token.Scope.EVENTS)).status_code == 403
    settings.METRICS_OPEN = True
    assert Client().get("/metrics").status_code == 200


@pytest.mark.parametrize("query", ["?from=soon", "?team=nobody", "?as_of=never"])
def test_a_scrape_that_asks_what_cannot_be_is_refused_in_a_sentence(query):
    answer = Client().get(f"/metrics{query}", headers=bearer())

    assert answer.status_code == 400
    assert answer.content.decode().endswith("Nothing was computed.\n")


def test_every_csv_names_definition_period_filters_and_as_of(client):
    deliver("shipment-api")
    addresses = (
        reverse("measures-csv"),
        reverse("measure-services-csv"),
        reverse("measure-series-csv", args=["first-pass"]),
    )
    for address in addresses:
        answer = client.get(f"{address}?service=shipment-api&period=30")
        lines = read_csv(answer)
        assert lines, address
        for line in lines:
            assert line["definition"] == answer["Throughline-Definition"] == "v1"
            assert line["filters"] == answer["Throughline-Filters"] == "service=shipment-api"
            assert line["as_of"] == answer["Throughline-As-Of"]
            assert all(line[name] for name in HEAD)


def test_the_csv_of_the_measures_holds_the_figures_of_the_page(client):
    deliver("shipment-api")

    lines = {line["measure"]: line for line in read_csv(client.get(reverse("measures-csv")))}

    share = lines["automated_share"]
    assert (float(share["numerator"]), share["n"]) == (5, "6")
    assert float(lines["build_to_production"]["value"]) == 4
    assert float(lines["failures"]["value"]) == 0


def test_what_is_not_known_stays_empty_in_the_csv(client):
    make_environments()

    for line in read_csv(client.get(reverse("measures-csv"))):
        assert (line["value"], line["n"]) == ("", "0")
        assert line["no_data"]


def test_another_dashboard_embeds_a_measure_by_token():
    deliver("shipment-api")

    answer = Client().get("/api/v1/embed/automated-share?period=90", headers=bearer())
    body = answer.json()

    assert (body["text"].split()[0], body["n"]) == ("83.3", 6)
    assert (body["definition"], answer["Throughline-Definition"]) == ("v1", "v1")
    assert {point["value"] for point in body["points"] if not point["n"]} == {None}
    assert sum(point["n"] for point in body["points"]) == 6
    assert Client().get("/api/v1/embed/automated-share").status_code == 401
    assert Client().get("/api/v1/embed/happiness", headers=bearer()).status_code == 404


def test_the_json_and_the_rows_name_what_was_asked_in_their_headers(client):
    deliver("shipment-api")
    addresses = (
        "/api/v1/measures",
        "/api/v1/measures/first_pass/rows",
        reverse("measure-rows-csv", args=["first-pass"]),
    )
    for address in addresses:
        answer = client.get(f"{address}?service=shipment-api")
        assert answer["Throughline-Filters"] == "service=shipment-api", address
        assert answer["Throughline-Definition"] == "v1"


def test_a_week_and_a_quarter_are_summed_up_on_a_page(client):
    deliver("shipment-api")
    day = (NOW + timedelta(days=3)).date()
    for kind in ("week", "quarter"):
        span = span_at(kind, day)
        page = client.get(reverse("measure-summary"), {"of": span.name})
        assert page.status_code == 200
        lines = {line.described.slug: line for line in page.context["lines"]}
        rows = client.get(f"/api/v1/measures?from={span.from_}&to={span.to}").json()["measures"]
        assert [line.shown.evidence == "no data" for line in lines.values()] == [
            not row["n"] for row in rows
        ]
        assert f"of={span.name}" in page.context["again"]


@pytest.mark.parametrize("query", ["of=2026-W60", "of=2026-Q9", "of=%00", "span=year", "as_of=x"])
def test_a_summary_of_what_cannot_be_shows_the_last_week(client, query):
    page = client.get(f"{reverse('measure-summary')}?{query}")

    assert page.status_code == 200
    assert page.context["span"] == last_span("week", LATER.date())


def test_who_chose_it_is_told_of_the_week_once_and_nobody_else(client):
    deliver("shipment-api")
    mei = make_person("mei2")
    NotificationChoice.objects.create(person=mei, kind="summary", in_app=True, by_mail=False)
    Notification.objects.all().delete()

    tell_summaries()
    tell_summaries()

    told = Notification.objects.filter(kind="summary", key__startswith="summary:2")
    weeks = [each for each in told if "-W" in each.key]
    assert [each.person_id for each in weeks] == [mei.pk]
    assert weeks[0].sentence.startswith("Week ")
    assert client.get(weeks[0].link).status_code == 200


def test_without_anybody_who_chose_it_nothing_is_computed(django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        assert tell_summaries() == 0


@given(st.dates(date(2100, 1, 1), date(2190, 1, 1)), st.sampled_from(["week", "quarter"]))
def test_every_day_lies_in_one_week_and_one_quarter_and_their_names_find_them(day, kind):
    span = span_at(kind, day)

    assert span.from_ <= day < span.to
    assert read_span(span.name, "", day) == (span, "")
    assert span.after.before == span
    assert span.before.to == span.from_


def test_an_empty_page_walks_the_chain_and_leads_to_what_mends_it(client):
    make_environments()
    for address in (reverse("measure-list"), reverse("measure-detail", args=["traceability"])):
        page = client.get(address)
        holds = {link.words: link.holds for link in page.context["chain"]}
        assert holds == {
            "Events arrive": False,
            "They match services and environments": True,
            "An environment is production": True,
            "Something was deployed there in the period": False,
            "Builds are linked to digests": False,
        }
        assert reverse("integration-list") in page.content.decode()


def test_a_page_with_figures_walks_no_chain(client):
    deliver("shipment-api")

    assert client.get(reverse("measure-list")).context["chain"] == []
