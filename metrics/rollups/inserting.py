"""Many rows into a table at once, the way each database is fastest at it."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.db.models import JSONField, Max, Model


def insert_rows(model: type[Model], rows: Sequence[dict[str, Any]]) -> None:
    """Inserts rows given by column, with their keys; columns left out have their defaults.

    COPY on PostgreSQL, one prepared statement on SQLite. No signals, no validation; constraints
    and triggers hold.
    """
    if not rows:
        return
    fields = model._meta.concrete_fields
    columns = [field.attname for field in fields]
    defaults = {field.attname: field.get_default() for field in fields}
    prepare = [_preparer(field) for field in fields]
    made = (
        tuple(
            change(row.get(name, defaults[name]))
            for name, change in zip(columns, prepare, strict=True)
        )
        for row in rows
    )
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in made:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", list(made))  # noqa: S608  # names of columns only


def _preparer(field: Any) -> Any:
    if isinstance(field, JSONField):
        return json.dumps
    if connection.vendor == "postgresql":
        return _same
    return lambda value: field.get_db_prep_save(value, connection)


def _same(value: Any) -> Any:
    return value


def next_key(model: type[Model]) -> int:
    """The first key that is free for rows inserted with keys of their own."""
    return int(model._default_manager.aggregate(last=Max("pk"))["last"] or 0) + 1


def reserve_keys(model: type[Model], n: int) -> list[int]:
    """N keys that nobody else gets."""
    if connection.vendor != "postgresql":  # one writer at a time
        first = next_key(model)
        return list(range(first, first + n))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, n],
        )
        return [key for (key,) in cursor.fetchall()]


def reset_keys(models: Iterable[type[Model]]) -> None:
    """Has the database give keys after those inserted."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)
