"""Mending the mapping: rules saved and deleted, and services made of what matched none.

What changed is to be placed again by whoever called (`place_again`); a rule alone moves nothing.
"""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Mapping, Service, Team, User

from .audit import record
from .replay import may_replay

PATTERNS = ("repository_pattern", "job_pattern", "image_pattern", "environment_pattern")
MOST_STARS = 10


@transaction.atomic
def save_rule(rule: Mapping, *, person: User, at: datetime) -> Mapping:
    """Stores a new or changed rule.

    NotAllowedError where the person is no platform engineer, InputError where the rule leads
    nowhere or would take in everything there is; nothing was changed then.
    """
    check_may_map(person)
    check_rule(rule)
    details: dict[str, Any] = {"rule": describe_rule(rule)}
    if rule.pk is None:
        rule.created_by, rule.created_at = person, at
    else:
        before = Mapping.objects.select_for_update().filter(pk=rule.pk).first()
        if before is None:
            raise ConflictError("This rule was deleted meanwhile. Nothing was changed.")
        rule.created_by, rule.created_at = before.created_by, before.created_at
        details["before"] = describe_rule(before)
    rule.save()
    record("mapping.save", rule, actor=person, at=at, details=details)
    return rule


@transaction.atomic
def delete_rule(rule: int, *, person: User, at: datetime) -> None:
    """Deletes it; what events became by it stays. ConflictError where it is gone already."""
    check_may_map(person)
    found = Mapping.objects.select_for_update().filter(pk=rule).first()
    if found is None:
        raise ConflictError("This rule was deleted already. Nothing was changed.")
    record("mapping.delete", found, actor=person, at=at, details={"rule": describe_rule(found)})
    found.delete()


@transaction.atomic
def create_service(
    slug: str, *, team: Team, repository: str, person: User, at: datetime
) -> Service:
    """Makes a service, so that events of its repository find it.

    NotAllowedError where the person is no platform engineer, InputError with the field that cannot
    be used; nothing was changed then.
    """
    check_may_map(person)
    service = Service(slug=slug.strip(), team=team, repository=repository.strip())
    try:
        service.full_clean()
    except ValidationError as error:
        key, sentences = next(iter(error.message_dict.items()))
        raise InputError(f"{sentences[0]} Nothing was changed.", key=key) from error
    if Service.objects.filter(slug__iexact=service.slug).exists():
        raise InputError(
            f"There is a service called {slug} already. Choose another name.", key="slug"
        )
    service.save()
    details = {"team": team.slug, "repository": service.repository}
    record("service.create", service, actor=person, at=at, details=details)
    return service


def check_may_map(person: User) -> None:
    """NotAllowedError for all but platform engineers."""
    if not may_map(person):
        raise NotAllowedError(
            f"{person.name} may not map events to the catalog: that takes a platform engineer."
            " Nothing was changed."
        )


def may_map(person: User) -> bool:
    """Those who may have events processed again, for that is what a change does."""
    return may_replay(person)


def check_rule(rule: Mapping) -> None:
    """InputError, with the field it speaks of, where the rule cannot be one."""
    if rule.is_ignored and (rule.service_id or rule.environment_id or rule.is_deployment):
        raise InputError(
            "A rule either ignores or leads to a service or environment, not both.",
            key="is_ignored",
        )
    if not rule.is_ignored and not (rule.service_id or rule.environment_id):
        raise InputError(
            "A rule leads to a service, to an environment or to both; choose one.", key="service"
        )
    if rule.is_deployment and not rule.environment_id:
        raise InputError("Say to which environment the job deploys.", key="environment")
    said = {name: getattr(rule, name) for name in PATTERNS}
    if not any(value.strip("*") for value in said.values()):
        raise InputError(
            "Say at least one repository, job, image or environment name: a rule without any would"
            " take in everything.",
            key="repository_pattern",
        )
    if rule.is_deployment and (rule.image_pattern or rule.environment_pattern):
        raise InputError(
            "A job that deploys is told by its repository and name; leave image and environment"
            " name empty.",
            key="image_pattern" if rule.image_pattern else "environment_pattern",
        )
    for name, value in said.items():
        if "\x00" in value or value.count("*") > MOST_STARS:
            raise InputError(f"A pattern holds at most {MOST_STARS} stars.", key=name)


def describe_rule(rule: Mapping) -> dict[str, Any]:
    """The rule for the record: what it asks and where it leads."""
    told: dict[str, Any] = {name: getattr(rule, name) for name in PATTERNS if getattr(rule, name)}
    told["priority"] = rule.priority
    for name in ("sender", "service", "environment"):
        if row := getattr(rule, name):
            told[name] = row.slug
    for name in ("is_deployment", "is_ignored"):
        if getattr(rule, name):
            told[name] = True
    if not rule.is_active:
        told["is_active"] = False
    return told
