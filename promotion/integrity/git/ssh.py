"""A git repository behind SSH, without a git or ssh program and only on a host that is known."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Self
from urllib.parse import unquote, urlsplit

import paramiko
from dulwich.client import TraditionalGitClient
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository
from dulwich.protocol import Protocol

from promotion.exceptions import InputError
from promotion.integrity.git.far_remote import LARGEST_ANSWER, FarRemote, explain_size
from promotion.integrity.git.remotes import (
    GitRefusedError,
    GitUnreachableError,
    explain_absence,
    explain_refusal,
)
from promotion.integrity.git.ssh_keys import PinnedKeys, is_private_key, read_private_key
from promotion.integrity.outgoing import open_socket

CONNECT_SECONDS = 10.0
# For each read and each write alone.
ANSWER_SECONDS = 60.0
_SHORT_FORM = re.compile(r"(?P<user>[^@:/\s]+)@(?P<host>[^@:/\s]+):(?P<path>[^\s].*)")
_ABSENT = ("does not appear to be a git repository", "not found", "could not be found")


@dataclass(frozen=True, slots=True)
class SshAddress:
    """Where a repository is: ssh://user@host:port/path, or user@host:path below the home directory."""

    host: str
    port: int
    username: str
    path: str

    @classmethod
    def is_one(cls, text: str) -> bool:
        """Does it look like an address of SSH?"""
        return text.startswith("ssh://") or _SHORT_FORM.fullmatch(text) is not None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read either form; raises InputError."""
        short = _SHORT_FORM.fullmatch(text)
        if short and not text.startswith("ssh://"):
            return cls(short["host"], 22, short["user"], short["path"])
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port or 22
        except ValueError:
            host, port = None, 22
        if not host or parts.scheme != "ssh" or parts.password or len(parts.path) < 2:
            raise InputError(
                f"{text[:200]!r} is not the address of a git repository behind SSH. Nothing was"
                " called. Write it as ssh://git@host/path, with credentials apart."
            )
        # git's own form for a path below the home directory is /~/path.
        path = unquote(parts.path)
        return cls(
            host, port, unquote(parts.username or ""), path[1:] if path.startswith("/~") else path
        )


class SshRemote(FarRemote):
    """A repository behind SSH; the host must show one of the keys pinned in the connection."""

    def __init__(self, address: str, username: str, secret: str, known_hosts: str) -> None:
        self.address = address
        self._at = SshAddress.parse(address)
        self._username = username or self._at.username or "git"
        self._secret = secret
        self._pinned = PinnedKeys.read(known_hosts, self._at.host, self._at.port)
        self._path = self._at.path.encode()

    @contextmanager
    def _client(self) -> Iterator["_GuardedGitClient"]:
        with ExitStack() as opened:
            try:
                yield _GuardedGitClient(lambda: opened.enter_context(self._session()))
            except NotGitRepository as error:
                raise explain_absence(self.address) from error
            except HangupException as error:
                raise self._explain_hangup(error) from error
            except GitProtocolError as error:
                raise self._explain(str(error)) from error
            except (ValueError, AssertionError) as error:
                raise GitUnreachableError(
                    f"{self.address} does not answer as a git server ({str(error)[:200]})."
                    " Check the connection's address."
                ) from error
            except (paramiko.SSHException, OSError, EOFError) as error:
                raise GitUnreachableError(
                    f"{self.address} did not answer or broke off ({type(error).__name__})."
                    " Whether the branch was moved is looked up before another try."
                ) from error

    @contextmanager
    def _session(self) -> Iterator[paramiko.Channel]:
        """One command's channel on a connection of its own: some hosts allow no second one."""
        with open_socket(self._at.host, self._at.port, timeout=CONNECT_SECONDS) as connected:
            transport = paramiko.Transport(connected)
            try:
                self._log_in(transport)
                channel = transport.open_session(timeout=CONNECT_SECONDS)
                channel.settimeout(ANSWER_SECONDS)
                yield channel
            finally:
                transport.close()

    def _log_in(self, transport: paramiko.Transport) -> None:
        transport.banner_timeout = transport.auth_timeout = CONNECT_SECONDS
        transport.get_security_options().key_types = self._pinned.algorithms
        try:
            transport.start_client(timeout=CONNECT_SECONDS)
        except paramiko.ssh_exception.IncompatiblePeer as error:
            raise self._explain_stranger() from error
        if not self._pinned.hold(transport.get_remote_server_key()):
            raise self._explain_stranger()
        try:
            if is_private_key(self._secret):
                transport.auth_publickey(self._username, read_private_key(self._secret))
            else:
                transport.auth_password(self._username, self._secret, fallback=False)
        except paramiko.AuthenticationException as error:
            raise GitRefusedError(
                explain_refusal(
                    self.address,
                    f"it does not let {self._username} in; check the connection's user and key",
                )
            ) from error

    def _explain_stranger(self) -> GitRefusedError:
        return GitRefusedError(
            f"{self._at.host} shows another host key than the connection names, so it may be another"
            " host. Nothing was sent. If its owner says the key is new, enter it in the connection."
        )

    def _explain_hangup(self, error: HangupException) -> GitRefusedError | GitUnreachableError:
        """What the far side wrote before it hung up tells whether another try may help."""
        lines = [line.decode(errors="replace") for line in error.stderr_lines or []]
        said = " ".join(" ".join(lines).split())
        if not said:
            return GitUnreachableError(
                f"{self.address} broke off. Whether the branch was moved is looked up before"
                " another try."
            )
        return self._explain(said)

    def _explain(self, said: str) -> GitRefusedError:
        if any(words in said for words in _ABSENT):
            return explain_absence(self.address)
        return GitRefusedError(explain_refusal(self.address, said.rstrip(".")))


class _GuardedGitClient(TraditionalGitClient):
    """Git's own protocol over channels of a known host."""

    def __init__(self, open_channel: Callable[[], paramiko.Channel]) -> None:
        super().__init__(thin_packs=False, quiet=True)
        self._open_channel = open_channel

    def _connect(
        self, cmd: bytes, path: str | bytes, protocol_version: int | None = None
    ) -> tuple[Protocol, Callable[[], bool], IO[bytes] | None]:
        channel = self._open_channel()
        where = path.decode() if isinstance(path, bytes) else path
        # The far side's shell reads the command.
        channel.exec_command(f"git-{cmd.decode()} {_quote(where)}")
        answer = _Answer(channel)
        protocol = Protocol(answer.read, channel.sendall, channel.close)
        return protocol, channel.recv_ready, channel.makefile_stderr("rb")


class _Answer:
    """An answer as dulwich wants it: exactly as many bytes as asked for, until its end."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._host = channel.get_transport().getpeername()[0]
        self._file = channel.makefile("rb", 256 * 1024)
        self._total = 0

    def read(self, size: int | None = None) -> bytes:
        """The next bytes, fewer only at the end."""
        try:
            taken: bytes = self._file.read(size)
        except TimeoutError as error:
            raise OSError("no answer in time") from error
        self._total += len(taken)
        if self._total > LARGEST_ANSWER:
            raise explain_size(self._host)
        return taken


def _quote(path: str) -> str:
    """For a shell, with the home directory's sign outside, since within it would mean itself."""
    if path.startswith("~"):
        home, slash, rest = path.partition("/")
        if re.fullmatch(r"~[\w.-]*", home, re.ASCII):
            return f"{home}{slash}{shlex.quote(rest)}"
    return shlex.quote(path)
