"""What the environment variables say, as Django and Celery want it."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


def read_flag(name: str, *, default: bool = False) -> bool:
    """True for 1, true, yes, on."""
    return os.environ.get(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


def read_list(name: str, default: str = "") -> list[str]:
    """A comma-separated variable as a list, blanks left out."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def read_database(url: str, data: Path) -> dict[str, Any]:
    """Django's settings for postgres://… or sqlite:///path; without a URL SQLite in the data directory."""
    if not url or url.startswith("sqlite:///"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:///") or data / "throughline.sqlite3",
            # A file, so that worker processes that a test starts see the same rows.
            "TEST": {"NAME": data / "tests.sqlite3"},
            "OPTIONS": {
                # Writers queue at the start of a transaction instead of failing half-way.
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(
            f"DATABASE_URL must begin with postgres:// or sqlite:///, not {parts.scheme}://."
        )
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    options["pool"] = {"min_size": 1, "max_size": 12, "timeout": 20}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def read_broker(url: str) -> str:
    """Celery's spelling of a Redis URL; unix:///path becomes redis+socket:///path."""
    if url.startswith("unix://"):
        return "redis+socket://" + url.removeprefix("unix://")
    return url or "redis://127.0.0.1:6379/0"


def read_mail(url: str) -> dict[str, Any]:
    """Django's settings for smtp://user:password@host:port, smtp+tls:// (STARTTLS) or smtps://."""
    if not url:
        return {"MAIL_IS_SET_UP": False}
    parts = urlsplit(url)
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    if parts.scheme not in ports or not parts.hostname:
        raise ValueError(
            "EMAIL_URL must be smtp://host, smtp+tls://host or smtps://host, with user:password@"
            " before the host and :port after it where they are needed."
        )
    return {
        "MAIL_IS_SET_UP": True,
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or ports[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 20,
    }
