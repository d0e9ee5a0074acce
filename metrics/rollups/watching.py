"""Triggers that note, in the transaction of every change, which service's facts are out of date.

In the database, because bulk inserts and updates send no signals, and nothing that is written by
whatever way may leave a figure behind. They are laid anew after every migration, and taken away
before one, since SQLite rebuilds tables in migrations.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.db import connections

from metrics.models import StaleService

EVERY_SERVICE, LINES = -1, -2
PREFIX = "facts_of_"


@dataclass(frozen=True, slots=True)
class Watched:
    """A table; a query for the services of its row `r`; the columns whose change matters."""

    model: str
    services: str
    columns: tuple[str, ...]
    is_inserted: bool = True


def _through(table: str, key: str) -> str:
    return f"SELECT service_id FROM promotion_{table} WHERE id = {key}"


def _where(table: str, condition: str) -> str:
    return f"SELECT service_id FROM promotion_{table} WHERE {condition}"


OWN = "SELECT r.service_id"
OF_DEPLOYMENT = _through("deployment", "r.deployment_id")
OF_PROMOTION = _through("promotion", "r.promotion_id")
MADE_BY_BUILD = (
    "SELECT made.service_id FROM promotion_buildartifact link"
    " JOIN promotion_artifact made ON made.id = link.artifact_id WHERE link.build_id = {key}"
)
# Whoever deploys the index of a platform is concerned by what is said of the platform.
DEPLOYS_INDEX = (
    "SELECT told.service_id FROM promotion_artifact part"
    " JOIN promotion_artifact whole ON whole.id = part.index_id"
    " JOIN promotion_deployment told ON told.digest = whole.digest WHERE part.id = r.artifact_id"
)
SUBJECTS = " UNION ".join(
    f"SELECT service_id FROM promotion_{subject} WHERE r.subject = '{subject}' AND id = r.subject_id"
    for subject in ("deployment", "observation", "incident", "build")
)

WATCHED: tuple[Watched, ...] = (
    Watched(
        "promotion.Deployment",
        OWN,
        (
            *("service_id", "environment_id", "target", "digest", "artifact_id", "result"),
            *("promotion_id", "mechanism", "kind", "is_planned"),
            *("started_at", "finished_at", "received_at"),
        ),
    ),
    Watched(
        "promotion.DeploymentReport", OF_DEPLOYMENT, ("deployment_id", "result", "received_at")
    ),
    Watched(
        "promotion.Observation",
        OWN,
        (
            *("service_id", "environment_id", "target", "digest", "artifact_id"),
            *("seen_at", "received_at"),
        ),
    ),
    # The deployment's service too, where an incident of another names it.
    Watched(
        "promotion.Incident",
        f"{OWN} UNION {OF_DEPLOYMENT}",
        (
            *("service_id", "environment_id", "opened_at", "resolved_at", "received_at"),
            *("deployment_id", "confidence", "named"),
        ),
    ),
    # A build of one service, or of none, may have made artifacts of others.
    Watched(
        "promotion.Build",
        f"{OWN} UNION {MADE_BY_BUILD.format(key='r.id')}",
        ("service_id", "commit", "version", "finished_at", "received_at"),
    ),
    Watched(
        "promotion.BuildArtifact",
        f"{_through('artifact', 'r.artifact_id')} UNION {_through('build', 'r.build_id')}",
        ("build_id", "artifact_id"),
    ),
    Watched(
        "promotion.Artifact",
        f"{OWN} UNION {_where('deployment', 'digest = r.digest OR artifact_id = r.id')}"
        f" UNION {_where('observation', 'artifact_id = r.id')}",
        ("service_id", "index_id", "name", "digest", "commit"),
    ),
    Watched(
        "promotion.Evidence",
        f"{_through('artifact', 'r.artifact_id')} UNION {_where('deployment', 'digest = r.digest')}"
        f" UNION {DEPLOYS_INDEX}",
        ("artifact_id", "digest", "type", "is_verified", "result", "received_at"),
    ),
    Watched("promotion.Release", OWN, ("service_id", "version")),
    Watched(
        "promotion.Release_artifacts",
        _through("release", "r.release_id"),
        ("release_id", "artifact_id"),
    ),
    Watched(
        "promotion.Promotion",
        OWN,
        (
            *("service_id", "environment_id", "release_id", "kind", "state", "mechanism"),
            *("content_hash", "asked_at", "started_at", "ended_at"),
        ),
    ),
    Watched("promotion.Approval", OF_PROMOTION, ("promotion_id", "content_hash", "decision", "at")),
    # A step is made before anybody can have it repeated, so that making it changes nothing.
    Watched("promotion.StepRun", OF_PROMOTION, ("was_repeated_by_id",), is_inserted=False),
    Watched(
        "promotion.Correction",
        f"{SUBJECTS} UNION {MADE_BY_BUILD.format(key='r.subject_id')} AND r.subject = 'build'",
        ("subject", "subject_id", "at"),
    ),
    Watched(
        "promotion.IncidentVerdict",
        f"{_through('incident', 'r.incident_id')} UNION {OF_DEPLOYMENT}",
        ("incident_id", "word", "deployment_id", "at"),
    ),
    Watched("promotion.RollbackVerdict", OF_DEPLOYMENT, ("deployment_id", "word", "at")),
    Watched(
        "promotion.PipelineVersion",
        _through("pipeline", "r.pipeline_id"),
        ("pipeline_id", "document", "applied_at"),
    ),
    Watched("promotion.Service", "SELECT r.id", ("slug", "artifact_names")),
    Watched("promotion.Service", f"SELECT {LINES}", ("team_id",), is_inserted=False),
    Watched("promotion.Team", f"SELECT {LINES}", ("parent_id",), is_inserted=False),
    # From which severity on the incidents of a sender count.
    Watched("promotion.Sender", f"SELECT {EVERY_SERVICE}", ("least_severity",), is_inserted=False),
    Watched("promotion.Environment", f"SELECT {EVERY_SERVICE}", ("slug", "tier", "watch_hours")),
    Watched("promotion.Target", f"SELECT {EVERY_SERVICE}", ("environment_id", "name")),
)


def lay_triggers(using: str) -> None:
    """Lays the triggers where they are not as they should be, and has all facts made anew then."""
    connection = connections[using]
    stale = StaleService._meta.db_table
    tables = {*connection.introspection.table_names()}
    if not {stale, *(_table(each) for each in WATCHED)} <= tables:
        return
    wanted = dict(_write_triggers(connection.vendor, stale))
    if {*wanted} == {name for name, _ in _find_triggers(connection)}:
        return
    take_triggers_away(using)
    with connection.cursor() as cursor:
        for statements in wanted.values():
            for statement in statements:
                cursor.execute(statement)
    StaleService.objects.using(using).create(service_key=EVERY_SERVICE)


def take_triggers_away(using: str) -> None:
    """Removes every trigger that was ever laid here."""
    connection = connections[using]
    is_postgresql = connection.vendor == "postgresql"
    for name, table in _find_triggers(connection):
        with connection.cursor() as cursor:
            place = f' ON "{table}"' if is_postgresql else ""
            cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"{place}')
            if is_postgresql:
                cursor.execute(f'DROP FUNCTION IF EXISTS "{name}"()')


def _find_triggers(connection: Any) -> list[tuple[str, str]]:
    """The triggers there are, and the table of each."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " WHERE t.tgname LIKE %s AND pg_table_is_visible(c.oid)",
                [PREFIX + "%"],
            )
        else:
            cursor.execute(
                "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
                [PREFIX + "%"],
            )
        return [(name, table) for name, table in cursor.fetchall()]


def _table(watched: Watched) -> str:
    return str(apps.get_model(watched.model)._meta.db_table)


def _write_triggers(vendor: str, stale: str) -> Iterator[tuple[str, list[str]]]:
    """The name of each trigger, which tells its content, and the statements that lay it."""
    for watched in WATCHED:
        for event in ("insert", "update", "delete"):
            if event == "insert" and not watched.is_inserted:
                continue
            write = _write_postgresql if vendor == "postgresql" else _write_sqlite
            statements = write(watched, event, stale)
            mark = sha256("".join(statements).encode()).hexdigest()[:12]
            table = _table(watched).removeprefix("promotion_")
            name = f"{PREFIX}{table}_{event}_{mark}"
            yield name, [each.replace("{name}", name) for each in statements]


def _of_row(watched: Watched, event: str) -> str:
    """A query for the services of the row as it is, as it was, or both."""
    sides = {"insert": ("NEW",), "delete": ("OLD",), "update": ("NEW", "OLD")}[event]
    return " UNION ".join(watched.services.replace("r.", f"{side}.") for side in sides)


def _write_postgresql(watched: Watched, event: str, stale: str) -> list[str]:
    table = _table(watched)
    if event == "update":
        services, each, when = _of_row(watched, event), "ROW", _changes(watched, "IS DISTINCT FROM")
        rows, named = f"({services})", ""
    else:
        side = "NEW" if event == "insert" else "OLD"
        rows = f"touched r CROSS JOIN LATERAL ({watched.services})"
        each, when, named = "STATEMENT", "", f"REFERENCING {side} TABLE AS touched "
    return [
        'CREATE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN'
        f" INSERT INTO {stale} (service_key) SELECT DISTINCT COALESCE(found.key, 0)"
        f" FROM {rows} AS found(key); RETURN NULL; END $$",
        f'CREATE TRIGGER "{{name}}" AFTER {event.upper()} ON {table} {named}'
        f'FOR EACH {each} {when}EXECUTE FUNCTION "{{name}}"()',
    ]


def _write_sqlite(watched: Watched, event: str, stale: str) -> list[str]:
    """One writer at a time, so what is noted already need not be noted again."""
    when = _changes(watched, "IS NOT") if event == "update" else ""
    return [
        f'CREATE TRIGGER "{{name}}" AFTER {event.upper()} ON {_table(watched)} FOR EACH ROW {when}'
        f"BEGIN INSERT INTO {stale} (service_key)"
        f" SELECT DISTINCT COALESCE(found.key, 0) FROM"
        f" (SELECT NULL AS key WHERE 0 UNION {_of_row(watched, event)}) AS found"
        f" WHERE NOT EXISTS (SELECT 1 FROM {stale} WHERE service_key = COALESCE(found.key, 0));"
        " END"
    ]


def _changes(watched: Watched, differs: str) -> str:
    parts = (f'OLD."{name}" {differs} NEW."{name}"' for name in watched.columns)
    return f"WHEN ({' OR '.join(parts)}) "
