"""manage.py verify_audit: recomputes the chain of the audit record."""

from typing import Any

from django.core.management.base import BaseCommand

from promotion.actions.verify_audit import verify_audit


class Command(BaseCommand):
    """Exit 0 where the chain holds, 1 where it differs, with the first difference."""

    help = "Recomputes the audit chain; reports the first difference or gap and exits 1 then."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify_audit()
        self.stdout.write(verdict.sentence)
        self.stdout.write(f"Last hash: {verdict.last_hash}")
        if not verdict.holds:
            raise SystemExit(1)
