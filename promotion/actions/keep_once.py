"""The one statement that keeps an event: fast, and the same for PostgreSQL and SQLite."""

from functools import lru_cache
from typing import Any

from django.db import connection, models

from promotion.models import Event


def keep_once(event: Event) -> bool:
    """Inserts the event and gives it its key; False where its delivery is kept already.

    One round trip, committed when it returns unless a transaction is open, and one that is open is
    not broken by a delivery that was kept before: no savepoint is needed.
    """
    values = [
        field.get_db_prep_save(field.pre_save(event, add=True), connection) for field in _fields()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_statement(), values)
        rows = cursor.fetchall()
    if not rows:
        return False
    event.pk = rows[0][0]
    event._state.adding = False
    event._state.db = connection.alias
    return True


@lru_cache(maxsize=1)
def _fields() -> "tuple[models.Field[Any, Any], ...]":
    return tuple(field for field in Event._meta.concrete_fields if not field.primary_key)


@lru_cache(maxsize=1)
def _statement() -> str:
    """Composed once: to compose it costs more than to carry it out."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in _fields())
    places = ", ".join(["%s"] * len(_fields()))
    key = quote(str(Event._meta.pk.column))
    return (
        f"INSERT INTO {quote(Event._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608
        f" ON CONFLICT DO NOTHING RETURNING {key}"
    )
