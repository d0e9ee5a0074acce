"""A real sshd on a free port of the loopback, which lets one key in as whoever runs the tests."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.parts.registry import find_free_port

_START_SECONDS = 20.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RunningSshd:
    """A server that answers; `host_key` is a line of kind and key, `private_key` the one it lets in."""

    port: int
    username: str
    host_key: str
    private_key: str
    stranger_key: str

    def address_of(self, path: Path) -> str:
        """The address of a repository of this machine."""
        return f"ssh://{self.username}@127.0.0.1:{self.port}{path}"

    @property
    def known_hosts(self) -> str:
        """As ssh-keyscan prints it."""
        return f"[127.0.0.1]:{self.port} {self.host_key}\n"


def make_key(path: Path, kind: str = "ed25519", *options: str) -> tuple[str, str]:
    """A new pair by ssh-keygen: the private file's text and the public kind and key."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path), *options]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    public = path.with_suffix(".pub").read_text().split()
    return path.read_text(), " ".join(public[:2])


@contextmanager
def run_sshd(directory: Path, *, host_key_kind: str = "ed25519") -> Iterator[RunningSshd]:
    """Start a server that keeps all it needs below `directory`, wait until it answers, end it."""
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program is not None, "Install openssh-server: these tests push over real SSH."
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # a server of root's asks for it
    _, host_key = make_key(directory / "host", host_key_kind)
    private_key, public_key = make_key(directory / "client")
    stranger_key, _ = make_key(directory / "stranger")
    (directory / "authorized").write_text(public_key + "\n")
    port = find_free_port()
    config = directory / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {directory / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {directory / 'authorized'}\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin prohibit-password\n"
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(config)], stderr=log)
    try:
        _await_banner(process, port, directory / "log")
        yield RunningSshd(port, getpass.getuser(), host_key, private_key, stranger_key)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_STOP_SECONDS)


def _await_banner(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connected:
                if connected.recv(8).startswith(b"SSH-2.0"):
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"sshd did not answer in time: {log.read_text()}")
