"""Which service and environment of the catalog a fact speaks of: the rules asked with our tables."""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q

from promotion.models import Environment, Mapping, Service
from promotion.rules.mapping import (
    NAMED_BY_IMAGE,
    NAMED_BY_JOB,
    Catalog,
    KnownEnvironment,
    KnownService,
    Place,
    Rule,
    Subject,
    find_place,
)
from promotion.sources.base import Fact


@dataclass(frozen=True, slots=True)
class Placed:
    """The rows of a place, and how they were found."""

    place: Place
    service: Service | None = None
    environment: Environment | None = None
    deploys_to: Environment | None = None
    is_declared: bool = False  # a deployment that a rule made of a build


class Placer:
    """Places the facts of one event; reads rules and environments once, services once a name."""

    def __init__(self, sender: int | None) -> None:
        self.sender = sender
        self._environments = {one.pk: one for one in Environment.objects.all()}
        mappings = list(Mapping.objects.asked_of(sender).select_related("service__team"))
        self._rules = [rule_of(one) for one in mappings]
        self._ruled = {one.service_id: one.service for one in mappings if one.service}
        self._found: dict[tuple[str, str, str], list[Service]] = {}

    def place(self, fact: Fact) -> Placed:
        """Where the fact belongs."""
        subject = subject_of(fact, self.sender)
        services = self._services_near(subject)
        catalog = Catalog(
            services=[known_service(one) for one in services],
            environments=[known_environment(one) for one in self._environments.values()],
            rules=self._rules,
        )
        place = find_place(subject, catalog)
        rows = {one.pk: one for one in services} | self._ruled
        return Placed(
            place,
            service=rows.get(place.service),
            environment=self._environments.get(place.environment or 0),
            deploys_to=self._environments.get(place.deploys_to or 0),
        )

    def _services_near(self, subject: Subject) -> list[Service]:
        """Those that may fit, in one query."""
        short = subject.image.rpartition("/")[2]
        names = (subject.service, subject.repository, short)
        if names not in self._found:
            near = Q(pk__in=[])
            if subject.service:
                near |= Q(slug__iexact=subject.service)
            if subject.repository:
                near |= Q(repository__iexact=subject.repository)
            if short:
                near |= Q(slug__iexact=short) | ~Q(artifact_names=[])
            found = Service.objects.select_related("team").filter(near) if any(names) else []
            self._found[names] = list(found)
        return self._found[names]


def declare_deployment(fact: Fact, placed: Placed) -> tuple[Fact, Placed] | None:
    """The deployment that a rule says this build is; None where it is none, or its result is unknown."""
    run = fact.external_id or fact.run_id
    if fact.kind != "build" or placed.deploys_to is None or not fact.result or not run:
        return None
    deployment = replace(
        fact,
        kind="deployment",
        service=placed.service.slug if placed.service else None,
        environment=placed.deploys_to.slug,
        name=None,
        external_id=f"build:{run}",
        run_id=run,
        mechanism="automated",
        details={},
    )
    place = replace(
        placed.place, environment=placed.deploys_to.pk, deploys_to=None, environment_why=""
    )
    return deployment, Placed(place, placed.service, placed.deploys_to, is_declared=True)


def subject_of(fact: Fact, sender: int | None) -> Subject:
    """What of the fact may tell its place; the name of an incident or of evidence is no place."""
    name = fact.name or ""
    is_image = fact.kind in NAMED_BY_IMAGE or (fact.kind == "build" and bool(fact.digest))
    return Subject(
        kind=fact.kind,
        sender=sender,
        service=fact.service or "",
        repository=fact.repository or "",
        # Where no job is named, a rule may ask for the service as the tool calls it.
        job=(name if fact.kind in NAMED_BY_JOB else "") or fact.service or "",
        image=name if is_image else "",
        environment=fact.environment or "",
        tier=str(fact.details.get("tier") or ""),
    )


def read_catalog(rules: list[Rule] | None = None) -> Catalog:
    """The whole catalog for many facts at once; `rules` instead of the stored ones, where given."""
    return Catalog(
        services=[known_service(one) for one in Service.objects.all()],
        environments=[known_environment(one) for one in Environment.objects.all()],
        rules=stored_rules() if rules is None else rules,
    )


def stored_rules() -> list[Rule]:
    """The active rules of all senders."""
    return [rule_of(one) for one in Mapping.objects.filter(is_active=True)]


def rule_of(mapping: Mapping) -> Rule:
    """The rule as the choice sees it."""
    return Rule(
        key=mapping.pk or 0,
        priority=mapping.priority,
        sender=mapping.sender_id,
        repository=mapping.repository_pattern,
        job=mapping.job_pattern,
        image=mapping.image_pattern,
        environment=mapping.environment_pattern,
        to_service=mapping.service_id,
        to_environment=mapping.environment_id,
        is_deployment=mapping.is_deployment,
        is_ignored=mapping.is_ignored,
    )


def known_service(service: Service) -> KnownService:
    """The service as the choice sees it."""
    return KnownService(
        service.pk,
        service.slug,
        service.repository,
        service.needed_artifacts,
        bool(service.artifact_names),
        service.build_name,
    )


def known_environment(environment: Environment) -> KnownEnvironment:
    """The environment as the choice sees it."""
    return KnownEnvironment(
        environment.pk, environment.slug, environment.name, str(environment.tier)
    )


def tell_place(place: Place) -> dict[str, Any]:
    """The place as it is kept with the event, to be compared when rules have changed."""
    return {
        "service": place.service,
        "environment": place.environment,
        "deploys_to": place.deploys_to,
        "is_ignored": place.is_ignored,
        "rules": list(place.rules),
    }
