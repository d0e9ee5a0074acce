"""The filters of each list, declared as a serializer: a field's `source` is the lookup it becomes.

A filter that is not known, or whose value cannot be used, is refused: left out silently, it would
answer with everything where a part was asked for.
"""

from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework import serializers

from promotion.exceptions import InputError
from promotion.models import Deployment, Event, Promotion, Tier
from promotion.models.artifact import RunResult
from promotion.models.promotion import STATE_CHOICES

from .fields import DigestField, UtcDateTimeField

OF_PAGING = frozenset({"cursor", "limit"})


def text(source: str, help_text: str) -> serializers.CharField:
    """A filter by a text, exactly."""
    return serializers.CharField(source=source, required=False, max_length=300, help_text=help_text)


def plain(help_text: str = "") -> serializers.CharField:
    """The same by the column of the filter's own name."""
    return serializers.CharField(required=False, max_length=300, help_text=help_text)


def choice(choices: Any, source: str | None = None) -> serializers.ChoiceField:
    """A filter by one of the words there are."""
    return serializers.ChoiceField(choices=choices, required=False, source=source)


def time(source: str, help_text: str) -> UtcDateTimeField:
    """A filter by a time, which must name its zone."""
    return UtcDateTimeField(source=source, required=False, help_text=help_text)


class ListQuery(serializers.Serializer[Any]):
    """No filter but the paging."""

    @classmethod
    def narrow(cls, rows: "QuerySet[Any]", asked: QueryDict) -> "QuerySet[Any]":
        """The rows that fit all filters; InputError or ValidationError names what cannot be used."""
        query = cls(data={name: asked[name] for name in asked if name not in OF_PAGING})
        for name, values in asked.lists():
            if name not in query.fields and name not in OF_PAGING:
                known = ", ".join([*query.fields, *sorted(OF_PAGING)])
                raise InputError(
                    f"There is no filter {name[:60]!r} here; there are {known}.", key=name[:60]
                )
            if len(values) > 1:
                raise InputError(f"{name} may be given once only.", key=name)
        query.is_valid(raise_exception=True)
        return query.fitting(rows, dict(query.validated_data))

    def fitting(self, rows: "QuerySet[Any]", lookups: dict[str, Any]) -> "QuerySet[Any]":
        """The rows that fit; overridden where a lookup can match one row twice."""
        return rows.filter(**lookups)


class ServiceQuery(ListQuery):
    """Of services."""

    team = text("team__slug", "the owner team")
    repository = plain()


class EnvironmentQuery(ListQuery):
    """Of environments."""

    tier = choice(Tier.choices)


class ArtifactQuery(ListQuery):
    """Of artifacts."""

    service = text("service__slug", "whose artifact it is")
    digest = DigestField(required=False)
    name = plain("path in the registry, without host")
    version = text("tags__tag", "a tag it was seen under")
    commit = plain()
    since = time("first_seen_at__gte", "first seen at or after")
    until = time("first_seen_at__lt", "first seen before")

    def fitting(self, rows: "QuerySet[Any]", lookups: dict[str, Any]) -> "QuerySet[Any]":
        """One tag may be in several repositories."""
        found = rows.filter(**lookups)
        return found.distinct() if "tags__tag" in lookups else found


class ReleaseQuery(ListQuery):
    """Of releases."""

    service = text("service__slug", "whose release it is")
    version = plain()
    digest = DigestField(source="artifacts__digest", required=False)
    commit = plain()
    violations = serializers.BooleanField(
        required=False, help_text="true: only versions that were built more than once"
    )
    since = time("created_at__gte", "made at or after")
    until = time("created_at__lt", "made before")

    def fitting(self, rows: "QuerySet[Any]", lookups: dict[str, Any]) -> "QuerySet[Any]":
        """A violation of build-once is a version with several sets of digests."""
        wanted = lookups.pop("violations", None)
        found = rows.filter(**lookups)
        return found if wanted is None else found.filter(was_built_again=wanted)


class DeploymentQuery(ListQuery):
    """Of deployments."""

    service = text("service__slug", "what was deployed")
    environment = text("environment__slug", "where")
    target = plain()
    state = choice(RunResult.choices, "result")
    digest = DigestField(required=False)
    version = plain()
    found = choice(Deployment.Found.choices)
    since = time("finished_at__gte", "ended at or after")
    until = time("finished_at__lt", "ended before")


class PromotionQuery(ListQuery):
    """Of promotions."""

    service = text("service__slug", "what is promoted")
    environment = text("environment__slug", "where to")
    state = choice(STATE_CHOICES)
    kind = choice(Promotion.Kind.choices)
    origin = choice(Promotion.Origin.choices)
    version = text("release__version", "of the release")
    digest = DigestField(source="release__artifacts__digest", required=False)
    since = time("asked_at__gte", "asked for at or after")
    until = time("asked_at__lt", "asked for before")


class IncidentQuery(ListQuery):
    """Of incidents."""

    service = text("service__slug", "what it befell")
    environment = text("environment__slug", "where")
    state = serializers.ChoiceField(choices=["opened", "resolved"], required=False)
    since = time("opened_at__gte", "opened at or after")
    until = time("opened_at__lt", "opened before")

    def fitting(self, rows: "QuerySet[Any]", lookups: dict[str, Any]) -> "QuerySet[Any]":
        """An incident is open until it is resolved."""
        state = lookups.pop("state", None)
        found = rows.filter(**lookups)
        return found if state is None else found.filter(resolved_at__isnull=state == "opened")


class EventQuery(ListQuery):
    """Of events."""

    sender = text("sender__slug", "who delivered it")
    source = plain()  # type: ignore[assignment]  # the column's name
    state = choice(Event.State.choices)
    since = time("received_at__gte", "received at or after")
    until = time("received_at__lt", "received before")
