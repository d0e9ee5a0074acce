"""The record built from rows is the record written by hand, and the figures from it are right."""

from datetime import date, datetime, timedelta

import pytest

from metrics.facts import load_record, split_fact_id
from metrics.facts.places import read_stages
from metrics.measures.base import (
    ApprovalFact,
    BuildFact,
    CorrectionFact,
    DeploymentFact,
    EnvironmentFact,
    EvidenceFact,
    IncidentFact,
    ObservationFact,
    PipelineFact,
    PromotionFact,
    Record,
    ReleaseFact,
    ServiceFact,
    StageFact,
    TeamFact,
)
from metrics.measures.periods import Period
from metrics.measures.registry import compute_all
from promotion.models import (
    Approval,
    Correction,
    DeploymentReport,
    Evidence,
    Incident,
    Observation,
    RunResult,
)
from promotion.rules.pipeline import pipeline_document, read_pipeline
from promotion.rules.states import State
from tests.factories import (
    NOW,
    commit_of,
    make_artifact,
    make_build,
    make_deployment,
    make_environment,
    make_environments,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
    make_step_run,
    make_team,
)

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=30)
STRICT = """
service: {service}
stages:
  - {{name: dev, environment: dev}}
  - {{name: staging, environment: staging, after: [dev]}}
  - name: production
    environment: production
    after: [staging]
    gates: [signature: {{keys: [k]}}, provenance: {{builder: b, advisory: true}}]
    approvals:
      - {{name: managers, count: 2, from: ["role:release manager"]}}
      - {{name: security, count: 1, from: ["group:security"], when: "risk.score > 0.5"}}
"""


def hours(count: float) -> datetime:
    return NOW + timedelta(hours=count)


def test_a_record_from_rows_is_the_record_written_by_hand():
    make_team("logistics")
    team = make_team("shipping", parent=make_team("logistics"))
    service = make_service("shipment-api", team=team)
    places = make_environments()
    make_environment("production", targets=("eu-1", "us-1"))
    make_pipeline(service, STRICT, at=NOW)
    build = make_build(service, commit_of("one"), finished_at=NOW)
    index = make_artifact(service, build=build)
    platform = make_artifact(service, "4.18.0-amd64", index=index)
    release = make_release(service, artifacts=[index])
    ines, mei = make_person("ines"), make_person("mei")
    promotion = make_promotion(
        release,
        places["production"],
        state=State.SUCCEEDED,
        at=hours(1),
        started_at=hours(2),
        ended_at=hours(3),
    )
    for person, decision, at in (
        (ines, "approve", 1.1),
        (mei, "approve", 1.2),
        (mei, "withdraw", 1.3),
        (mei, "approve", 2.5),
    ):
        Approval.objects.create(
            promotion=promotion,
            person=person,
            decision=decision,
            content_hash=promotion.content_hash,
            at=hours(at),
        )
    make_step_run(promotion, "notify", was_repeated_by=ines)
    deployment = make_deployment(
        release,
        places["production"],
        at=hours(2.5),
        target="eu-1",
        promotion=promotion,
        mechanism="automated",
    )
    observation = Observation.objects.create(
        service=service,
        environment=places["production"],
        target="eu-1",
        digest=platform.digest,
        artifact=platform,
        seen_at=hours(4),
        received_at=hours(4),
    )
    evidence = Evidence.objects.create(
        artifact=index,
        digest=index.digest,
        type="signature",
        is_verified=True,
        received_at=hours(1),
    )
    incident = Incident.objects.create(
        source="pagerduty",
        external_id="1",
        service=service,
        environment=places["production"],
        opened_at=hours(5),
        received_at=hours(5),
        deployment=deployment,
        confidence="explicit",
    )
    Correction.objects.create(
        subject="incident", subject_id=incident.pk, why="A drill.", by=ines, at=hours(6)
    )
    digest = index.digest

    assert load_record(LATER) == Record(
        environments=(
            EnvironmentFact("dev", "development"),
            EnvironmentFact("staging", "staging"),
            EnvironmentFact("production", "production", ("eu-1", "us-1")),
        ),
        services=(
            ServiceFact(
                "shipment-api",
                "shipping",
                (
                    PipelineFact(
                        (
                            StageFact("dev"),
                            StageFact("staging", ("dev",)),
                            StageFact("production", ("dev", "staging"), True, False, 2),
                        ),
                        NOW,
                    ),
                ),
            ),
        ),
        teams=(TeamFact("logistics"), TeamFact("shipping", "logistics")),
        releases=(
            ReleaseFact(
                f"release-{release.pk}", "shipment-api", frozenset({digest}), release.version
            ),
        ),
        builds=(
            BuildFact(
                f"build-{build.pk}", "shipment-api", digest, NOW, NOW, commit_of("one"), None
            ),
        ),
        evidence=(EvidenceFact(digest, "signature", True, hours(1), f"evidence-{evidence.pk}"),),
        promotions=(
            PromotionFact(
                id=f"P-{promotion.pk}",
                service="shipment-api",
                digest=digest,
                to="production",
                asked_at=hours(1),
                received_at=hours(1),
                state="succeeded",
                started_at=hours(2),
                ended_at=hours(3),
                mechanism="automated",
                retried_by_person=True,
                approvals=(ApprovalFact("ines", hours(1.1)),),
                release=f"release-{release.pk}",
                digests=frozenset({digest}),
            ),
        ),
        deployments=(
            DeploymentFact(
                id=f"deployment-{deployment.pk}",
                service="shipment-api",
                environment="production",
                digest=digest,
                started_at=hours(2.5) - timedelta(minutes=2),
                received_at=hours(2.5),
                finished_at=hours(2.5),
                result="succeeded",
                target="eu-1",
                promotion=f"P-{promotion.pk}",
                mechanism="automated",
            ),
        ),
        observations=(
            ObservationFact(
                id=f"observation-{observation.pk}",
                service="shipment-api",
                environment="production",
                digest=digest,
                at=hours(4),
                received_at=hours(4),
                target="eu-1",
            ),
        ),
        incidents=(
            IncidentFact(
                id=f"incident-{incident.pk}",
                service="shipment-api",
                environment="production",
                opened_at=hours(5),
                received_at=hours(5),
                deployment=f"deployment-{deployment.pk}",
            ),
        ),
        corrections=(
            CorrectionFact(f"incident-{incident.pk}", hours(6), "ines", "A drill.", "incident"),
        ),
        platforms={platform.digest: digest},
    )


def test_the_five_figures_follow_from_rows():
    service, places = make_service(), make_environments()
    make_pipeline(service, at=NOW - timedelta(days=1))
    ines = make_person()
    for number in range(6):
        at = NOW + timedelta(days=number)
        release = make_release(service, f"1.{number}.0", at=at)
        for stage, place in enumerate(("dev", "staging")):
            make_deployment(
                release, places[place], at=at + timedelta(hours=stage + 1), mechanism="automated"
            )
        ended = at + timedelta(hours=3 + number)
        promotion = make_promotion(
            release,
            places["production"],
            state=State.SUCCEEDED,
            at=ended - timedelta(hours=1),
            started_at=ended - timedelta(minutes=30),
            ended_at=ended,
        )
        if number:  # The first release lacks its approval.
            Approval.objects.create(
                promotion=promotion,
                person=ines,
                decision="approve",
                content_hash=promotion.content_hash,
                at=ended - timedelta(minutes=40),
            )
        make_deployment(
            release,
            places["production"],
            at=ended,
            promotion=promotion,
            mechanism="manual" if number == 1 else "",
        )
    Incident.objects.create(
        source="pagerduty",
        external_id="1",
        service=service,
        environment=places["production"],
        opened_at=NOW + timedelta(days=2, hours=6),
        resolved_at=NOW + timedelta(days=2, hours=9),
        received_at=NOW + timedelta(days=2, hours=6),
    )

    found = compute_all(
        load_record(LATER), Period(date(2026, 11, 1), date(2026, 12, 24)), as_of=LATER
    )

    share, first, span = (
        found["automated_share"],
        found["first_pass"],
        found["build_to_production"],
    )
    trace, failed = found["traceability"], found["failures"]
    assert (share.numerator, share.denominator) == (5, 6)
    assert (first.numerator, first.denominator) == (5, 6)
    assert (span.n, span.value) == (6, 5.5)  # 3, 4, 5, 6, 7 and 8 h
    assert (trace.numerator, trace.denominator, trace.missing) == (5, 6, {"approval": 1})
    assert (failed.count, failed.denominator) == (1, 6)


def test_a_deployment_is_as_it_was_known_then():
    service, places = make_service(), make_environments()
    release = make_release(service)
    deployment = make_deployment(
        release, places["production"], at=hours(2), result="rolled_back", finished_at=hours(9)
    )
    deployment.received_at = hours(9)
    deployment.save()
    for result, at in (("started", 1), ("succeeded", 2), ("rolled_back", 9)):
        DeploymentReport.objects.create(
            deployment=deployment,
            result=result,
            digest=deployment.digest,
            occurred_at=hours(at),
            received_at=hours(at),
        )

    def look(at: float) -> list[tuple[object, ...]]:
        facts = load_record(hours(at)).deployments
        return [(each.started_at, each.finished_at, each.result) for each in facts]

    assert look(0.5) == []
    assert look(1.5) == [(hours(1), None, None)]
    assert look(3) == [(hours(1), hours(2), "succeeded")]
    assert look(10) == [(hours(1), hours(2), "succeeded")]


@pytest.mark.parametrize(
    ("results", "outcome"),
    [(["started", "rolled_back"], "failed"), (["removed"], None), ([], None)],
)
def test_what_was_undone_is_a_failure_only_where_it_began(results, outcome):
    service, places = make_service(), make_environments()
    last = results[-1] if results else RunResult.REMOVED
    deployment = make_deployment(make_release(service), places["production"], result=last)
    for hour, result in enumerate(results):
        DeploymentReport.objects.create(
            deployment=deployment, result=result, occurred_at=hours(hour), received_at=hours(hour)
        )

    assert [each.result for each in load_record(LATER).deployments] == (
        [outcome] if outcome else []
    )


def test_a_deployment_without_a_known_digest_is_like_no_other():
    service, places = make_service(), make_environments()
    release = make_release(service)
    keys = [make_deployment(release, places["production"], at=hours(at)).pk for at in (1, 2)]
    release.deployments.update(digest="", artifact=None)

    digests = [each.digest for each in load_record(LATER).deployments]

    assert digests == [f"unresolved-{key}" for key in keys]


def see(service, place, digest: str, at: float, target: str = "") -> None:
    Observation.objects.create(
        service=service,
        environment=place,
        target=target,
        digest=digest,
        seen_at=hours(at),
        received_at=hours(at),
    )


def test_what_is_seen_again_is_kept_once_a_day_and_after_every_deployment():
    service, places = make_service(), make_environments()
    production = places["production"]
    release = make_release(service)
    digest = release.digests[0]
    for at in (0, 1, 2, 5, 6, 20, 21):  # NOW is 14:20 UTC, so midnight is after 9.7 h.
        see(service, production, digest, at)
    make_deployment(release, production, at=hours(3))

    kept = [each.at for each in load_record(LATER, zone="UTC").observations]

    assert kept == [hours(0), hours(5), hours(20)]
    assert len(load_record(hours(23), zone="UTC").observations) == 7  # the last day is whole


def test_a_record_of_some_services_holds_nothing_of_others():
    places = make_environments()
    for slug in ("shipment-api", "rate-engine"):
        service = make_service(slug)
        make_pipeline(service)
        release = make_release(service, "1.0.0")
        promotion = make_promotion(release, places["production"])
        make_deployment(release, places["production"], promotion=promotion)
        see(service, places["production"], release.digests[0], 1)
    service = make_service("rate-engine")

    record = load_record(LATER, services=[service.pk])

    facts = (
        record.services,
        record.releases,
        record.builds,
        record.promotions,
        record.deployments,
        record.observations,
    )
    assert all(len(each) == 1 for each in facts)
    assert {each.service for group in facts[1:] for each in group} == {"rate-engine"}


def test_loading_takes_the_same_number_of_queries_however_much_there_is(
    django_assert_num_queries,
):
    places = make_environments()
    for number in range(4):
        service = make_service(f"service-{number}")
        make_pipeline(service)
        for version in ("1.0.0", "1.1.0"):
            release = make_release(service, version)
            make_deployment(release, places["production"])

    with django_assert_num_queries(21):
        record = load_record(LATER)

    assert len(record.deployments) == 8


def test_of_several_ways_only_what_they_share_is_required():
    text = """
service: api
stages:
  - {name: dev, environment: dev}
  - {name: blue, environment: blue, after: [dev]}
  - {name: green, environment: green, after: [dev]}
  - {name: production, environment: production, after: [blue, green], availability: any}
"""
    stages = read_stages(pipeline_document(read_pipeline(text)))
    both = read_stages(pipeline_document(read_pipeline(text.replace("any", "all"))))

    assert stages[-1] == StageFact("production", ("dev",))
    assert both[-1] == StageFact("production", ("dev", "blue", "green"))


@pytest.mark.parametrize(
    ("fact_id", "found"),
    [
        ("P-12", ("promotion", 12)),
        ("deployment-7", ("deployment", 7)),
        ("sha256:abc", None),
        ("-1", None),
        ("incident-x", None),
    ],
)
def test_an_id_tells_its_row(fact_id, found):
    assert split_fact_id(fact_id) == found
