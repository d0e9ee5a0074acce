"""Payloads kept as files: one a file, a JSON list of them, or one a line (NDJSON)."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from promotion.exceptions import InputError
from promotion.sources.base import Delivery

from .base import Cursor, Page
from .listed import text_of

LARGEST_FILE = 512 * 1024 * 1024
AT_ONCE = 100
_LINES = frozenset({".ndjson", ".jsonl"})


def list_files(
    root: Path, headers: Mapping[str, str], cursor: Cursor, _since: datetime | None = None
) -> Iterator[Page]:
    """The payloads below `root` in the order of their names, from a cursor {file, count} on.

    A payload may stand with headers of its own: {"headers": {…}, "body": …}. Raises InputError
    where `root` is not there or a file cannot be read.
    """
    files = _files(root)
    last_file, done = text_of(cursor.get("file")), int(text_of(cursor.get("count")) or 0)
    left = [one for one in files if _name(root, one) >= last_file]
    for number, path in enumerate(left, start=1):
        name = _name(root, path)
        skipped = done if name == last_file else 0
        batch: list[Delivery] = []
        count = skipped
        for place, delivery in enumerate(_deliveries(path, headers)):
            if place < skipped:
                continue
            batch.append(delivery)
            count += 1
            if len(batch) == AT_ONCE:
                yield Page(tuple(batch), {"file": name, "count": count})
                batch = []
        yield Page(tuple(batch), {"file": name, "count": count}, number == len(left))


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise InputError(f"There is no file or directory {root}. Nothing was taken in.")
    found = [one for one in root.rglob("*") if one.is_file() and not one.name.startswith(".")]
    return sorted(found, key=lambda one: _name(root, one))


def _name(root: Path, path: Path) -> str:
    return path.name if path == root else path.relative_to(root).as_posix()


def _deliveries(path: Path, headers: Mapping[str, str]) -> Iterator[Delivery]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"{path} has more than {LARGEST_FILE} bytes. Split it.")
        if path.suffix in _LINES:
            with path.open("rb") as lines:
                for line in lines:
                    if line.strip():
                        yield _delivery(line.strip(), headers)
            return
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    document = _parse(content)
    if isinstance(document, list):
        for one in document:
            yield _delivery(json.dumps(one, ensure_ascii=False).encode("utf-8", "replace"), headers)
    else:
        yield _delivery(content, headers)


def _delivery(content: bytes, headers: Mapping[str, str]) -> Delivery:
    document = _parse(content)
    if isinstance(document, dict) and set(document) == {"headers", "body"}:
        own, body = document["headers"], document["body"]
        if isinstance(own, dict):
            headers = {**headers, **{str(name): text_of(value) for name, value in own.items()}}
            content = (
                body.encode("utf-8", "replace")
                if isinstance(body, str)
                else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
            )
    return Delivery(
        body=content, headers=headers, content_type=headers.get("Content-Type", "application/json")
    )


def _parse(content: bytes) -> Any:
    """None for what is no JSON: it is kept all the same, and its source says that it is unreadable."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
