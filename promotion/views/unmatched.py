"""Events that match no service or environment, in groups that can be settled at once."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max
from django.urls import reverse

from promotion.actions.ingest.mapping import subject_of
from promotion.actions.place_again import stored_facts
from promotion.models import Event, Sender

SHOWN = 12


@dataclass(frozen=True, slots=True)
class Group:
    """Events that lack the same thing by the same name, and what a rule for them would ask."""

    number: int
    lacks: str
    title: str
    count: int
    last_at: Any
    from_whom: str
    patterns: dict[str, str]
    create_url: str
    map_url: str
    events_url: str


def list_unmatched(sender: Sender | None = None) -> tuple[list[Group], int]:
    """The largest groups, and how many groups there are; three queries, whatever there is."""
    rows = Event.objects.exclude(lacks="").exclude(
        state__in=[Event.State.IGNORED, Event.State.RECEIVED]
    )
    if sender is not None:
        rows = rows.filter(sender=sender)
    grouped = rows.order_by().values("lacks", "speaks_of")
    found: list[Any] = list(
        grouped.annotate(
            count=Count("pk"),
            last_at=Max("received_at"),
            newest=Max("pk"),
            senders=Count("sender", distinct=True),
        ).order_by("-count", "speaks_of")[:SHOWN]
    )
    total = grouped.distinct().count() if len(found) == SHOWN else len(found)
    newest = {
        one.pk: one
        for one in Event.objects.filter(pk__in=[one["newest"] for one in found])
        .select_related("sender")
        .only("outcome", "sender__slug", "sender__name")
    }
    groups = [
        _group(number, one, newest[one["newest"]])
        for number, one in enumerate(found, 1)
        if one["newest"] in newest
    ]
    return groups, total


def _group(number: int, row: dict[str, Any], newest: Event) -> Group:
    said, count = row["speaks_of"], row["count"]
    noun = "1 event" if count == 1 else f"{count:,} events"
    verb = "matches" if count == 1 else "match"
    if row["lacks"] == Event.Lacks.SERVICE:
        title = f"{noun} {f'from {said} ' if said else 'that name nothing '}{verb} no service"
    else:
        names = "names" if count == 1 else "name"
        title = (
            f"{noun} {names} {said}, which is no environment here"
            if said
            else f"{noun} {names} no environment"
        )
    patterns = _patterns(row["lacks"], said, newest)
    is_of_service = row["lacks"] == Event.Lacks.SERVICE
    one_sender = newest.sender if row["senders"] == 1 else None
    asked = patterns | ({"sender": one_sender.slug} if one_sender and not said else {})
    return Group(
        number=number,
        lacks=row["lacks"],
        title=title,
        count=count,
        last_at=row["last_at"],
        from_whom=one_sender.name if one_sender else f"{row['senders']} senders",
        patterns=patterns,
        create_url=_address("service-new", _service_of(said, patterns)) if is_of_service else "",
        map_url=_address("rule-new", asked),
        events_url=_address("event-list", {"lacks": row["lacks"], "speaks_of": said}),
    )


def _patterns(lacks: str, said: str, newest: Event) -> dict[str, str]:
    """What a rule has to ask, told from the newest event of the group."""
    if not said:
        return {}
    if lacks == Event.Lacks.ENVIRONMENT:
        return {"environment_pattern": said}
    for fact, _ in stored_facts(newest.outcome):
        subject = subject_of(fact, newest.sender_id)
        for name in ("repository", "image", "job"):
            if getattr(subject, name)[:300] == said:
                return {f"{name}_pattern": said}
    return {"repository_pattern": said}


def _service_of(said: str, patterns: dict[str, str]) -> dict[str, str]:
    slug = said.rpartition("/")[2]
    return {"slug": slug} | ({"repository": said} if "repository_pattern" in patterns else {})


def _address(name: str, query: dict[str, str]) -> str:
    return f"{reverse(name)}?{urlencode(query)}" if query else reverse(name)
