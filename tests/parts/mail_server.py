"""A real SMTP server on the loopback that keeps what it was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.parts.registry import find_free_port


@dataclass(slots=True)
class MailServer:
    """Where it listens, what came, and whom it refuses."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse one recipient."""
        if address in self.refuses:
            return "550 There is nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the mail."""
        made: Any = message_from_bytes(envelope.content or b"", policy=policy.default)
        self.mails.append(made)
        return "250 Kept"


@contextmanager
def run_mail_server() -> Iterator[MailServer]:
    """Serve until the block ends."""
    server = MailServer(port=find_free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
