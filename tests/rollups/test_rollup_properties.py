"""Facts and sums equal a full computation, whatever happened, in whatever order it came."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from metrics.actions.refresh_facts import refresh_stale
from metrics.facts import promotion_key
from metrics.measures.registry import MEASURES
from metrics.models import Rollup
from metrics.reports import Report
from metrics.rollups.checking import find_differences
from promotion.models import (
    Correction,
    Deployment,
    Environment,
    Evidence,
    Incident,
    Observation,
    Promotion,
    Service,
    Target,
)
from promotion.rules.states import State
from tests.factories import (
    NOW,
    digest_of,
    make_build,
    make_deployment,
    make_environments,
    make_observation,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
    make_team,
    numbers,
)
from tests.rollups.comparing import ask, assert_same, narrowings

pytestmark = pytest.mark.django_db
SERVICES, TEAMS = ("shipment-api", "label-print"), ("logistics", "shipping")
PLACES = ("dev", "staging", "production")
AT = NOW + timedelta(days=12)
HOUR = timedelta(hours=1)

times = st.integers(0, 10 * 24).map(lambda hours: NOW + hours * HOUR)
delays = st.sampled_from((0, 0, 1, 30, 200)).map(lambda hours: hours * HOUR)
services, places = st.sampled_from(SERVICES), st.sampled_from(PLACES)
versions = st.integers(0, 2)
happenings = st.one_of(
    st.tuples(
        st.just("deploy"),
        services,
        places,
        versions,
        times,
        delays,
        st.sampled_from(("succeeded", "succeeded", "failed", "cancelled")),
        st.sampled_from(("automated", "manual", "unknown", "")),
        st.sampled_from(("", "normal", "rollback", "hotfix")),
        st.sampled_from(("", "eu-1")),
    ),
    st.tuples(
        st.just("promote"),
        services,
        places,
        versions,
        times,
        st.integers(0, 40),
        st.sampled_from((State.SUCCEEDED, State.SUCCEEDED, State.FAILED, State.RUNNING)),
        st.sampled_from(("normal", "normal", "rollback", "hotfix")),
    ),
    st.tuples(st.just("observe"), services, places, st.integers(0, 3), times, delays),
    st.tuples(
        st.just("incident"),
        st.sampled_from((*SERVICES, None)),
        times,
        delays,
        st.sampled_from((None, 1, 400)),
        st.integers(0, 9),
    ),
    st.tuples(st.just("build"), services, versions, times, delays),
    st.tuples(st.just("sign"), services, versions, times),
    st.tuples(st.just("void"), st.integers(0, 9), times),
    st.tuples(st.just("replay"), st.integers(0, 9)),
    st.tuples(st.just("correct"), st.integers(0, 9), st.sampled_from(("failed", "succeeded"))),
    st.tuples(st.just("change"), st.sampled_from(("tier", "watch", "team", "target"))),
    st.just(("refresh",)),
)


class World:
    """Two services of two teams, one above the other, with three releases each."""

    def __init__(self) -> None:
        self.places = make_environments()
        Target.objects.create(environment=self.places["production"], name="eu-1")
        above = make_team("logistics")
        teams = {"shipment-api": make_team("shipping", parent=above), "label-print": above}
        self.person = make_person("mei")
        self.releases = {}
        for slug in SERVICES:
            service = make_service(slug, team=teams[slug])
            make_pipeline(service, at=NOW - timedelta(days=1))
            for version in range(3):
                self.releases[slug, version] = make_release(
                    service, f"1.{version}.0", at=NOW - version * HOUR
                )
        self.told: list[Any] = []

    def happen(self, what: str, *details: Any) -> None:
        """One thing, written as it may be written."""
        getattr(self, f"_{what}")(*details)

    def _nth(self, number: int) -> Any:
        return self.told[number % len(self.told)] if self.told else None

    def _deploy(self, slug, place, version, at, delay, result, mechanism, kind, target):
        deployment = make_deployment(
            self.releases[slug, version],
            self.places[place],
            at=at,
            result=result,
            mechanism=mechanism,
            kind=kind,
            target=target,
        )
        Deployment.objects.filter(pk=deployment.pk).update(received_at=at + delay)
        self.told.append(deployment)

    def _promote(self, slug, place, version, at, minutes, state, kind):
        is_over = state is not State.RUNNING
        ended = at + timedelta(minutes=minutes)
        promotion = make_promotion(
            self.releases[slug, version],
            self.places[place],
            state=State.RUNNING,
            at=at - HOUR,
            started_at=at,
            kind=kind,
        )
        if not is_over:
            # One runs in a lane at a time.
            Promotion.objects.filter(pk=promotion.pk).update(state=State.CANCELLED.value)
            ended = at
        make_deployment(
            self.releases[slug, version],
            self.places[place],
            at=ended,
            promotion=promotion,
            result="failed" if state is State.FAILED else "succeeded",
        )
        if is_over:
            Promotion.objects.filter(pk=promotion.pk).update(state=state.value, ended_at=ended)

    def _observe(self, slug, place, version, at, delay):
        digest = digest_of(f"nobody built {slug}")
        if version < 3:
            digest = self.releases[slug, version].artifacts.get().digest
        service = Service.objects.get(slug=slug)
        known = Observation.objects.filter(
            service=service, environment=self.places[place], digest=digest, seen_at=at
        )
        if not known.exists():
            observation = make_observation(service, self.places[place], digest, at=at)
            Observation.objects.filter(pk=observation.pk).update(received_at=at + delay)
            self.told.append(observation)

    def _incident(self, slug, at, delay, hours, number):
        named = self._nth(number) if number < 4 else None
        linked = named if isinstance(named, Deployment) else None
        asked = Promotion.objects.order_by("pk").last() if number == 4 else None
        self.told.append(
            Incident.objects.create(
                source="pager",
                external_id=str(next(numbers)),
                service=slug and Service.objects.get(slug=slug),
                environment=self.places["production"],
                opened_at=at,
                received_at=at + delay,
                resolved_at=None if hours is None else at + hours * HOUR,
                deployment=linked,
                confidence="explicit" if linked else "",
                named=promotion_key(asked.pk) if asked else "",
            )
        )

    def _build(self, slug, version, at, delay):
        build = make_build(Service.objects.get(slug=slug), finished_at=at)
        build.artifacts.add(self.releases[slug, version].artifacts.get())
        type(build).objects.filter(pk=build.pk).update(received_at=at + delay)
        self.told.append(build)

    def _sign(self, slug, version, at):
        artifact = self.releases[slug, version].artifacts.get()
        Evidence.objects.bulk_create(
            [
                Evidence(
                    artifact=artifact,
                    digest=artifact.digest,
                    type="signature",
                    result="passed",
                    is_verified=True,
                    received_at=at,
                )
            ]
        )

    def _void(self, number, at):
        fact = self._nth(number)
        if fact is not None:
            Correction.objects.get_or_create(
                subject=fact._meta.model_name,
                subject_id=fact.pk,
                defaults={"why": "never happened", "by": self.person, "at": at},
            )

    def _replay(self, number):
        fact = self._nth(number)
        if fact is not None:
            type(fact).objects.get(pk=fact.pk).save()

    def _correct(self, number, result):
        fact = self._nth(number)
        if isinstance(fact, Deployment):
            Deployment.objects.filter(pk=fact.pk).update(result=result)

    def _change(self, what):
        if what == "tier":
            staging = Environment.objects.get(slug="staging")
            tier = "production" if staging.tier == "staging" else "staging"
            Environment.objects.filter(slug="staging").update(tier=tier)
        elif what == "watch":
            Environment.objects.filter(slug="production").update(watch_hours=72)
        elif what == "team":
            Service.objects.filter(slug="label-print").update(team=make_team("shipping"))
        else:
            Target.objects.get_or_create(environment=self.places["production"], name="us-1")

    def _refresh(self):
        refresh_stale(AT)


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(happenings, max_size=25), earlier=times)
def test_facts_and_sums_equal_a_full_computation_in_any_order_of_arrival(history, earlier):
    with transaction.atomic():
        world = World()
        for what, *details in history:
            world.happen(what, *details)
        unrefreshed = Report(ask(NOW.date(), AT.date(), AT))
        for name in MEASURES:
            assert_same(unrefreshed, name)

        refresh_stale(AT)

        assert list(find_differences(AT)) == []
        for filters in narrowings(SERVICES, TEAMS):
            report = Report(ask(NOW.date(), AT.date(), AT, filters=filters))
            assert not report.fresh.computed
            for name in MEASURES:
                assert_same(report, name)
        part = Report(ask(NOW.date() + timedelta(days=3), NOW.date() + timedelta(days=7), AT))
        past = Report(ask(NOW.date(), AT.date(), earlier, is_now=False))
        for name in MEASURES:
            assert_same(part, name)
            assert_same(past, name)
        assert Rollup.objects.exists() or not history
        transaction.set_rollback(True)
