"""Real git repositories, and git's own HTTP server program behind a thread on the loopback."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.parts.moments import Moments

_PLAIN = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "HOME": "/nonexistent",
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
}


def run_git(directory: Path, *arguments: str) -> str:
    """Run the git program, for what a test prepares or looks at."""
    done = subprocess.run(
        ["git", *arguments], cwd=directory, env=_PLAIN, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_bare_repository(directory: Path, files: Mapping[str, str]) -> Path:
    """A bare repository with a branch main that has one commit of these files."""
    work, bare = directory / "work", directory / "gitops.git"
    work.mkdir(parents=True)
    run_git(work, "init", "--quiet", "--initial-branch=main")
    push_files(work, files, "Begin")
    run_git(directory, "clone", "--quiet", "--bare", str(work), str(bare))
    run_git(work, "remote", "add", "origin", str(bare))
    return bare


def push_files(work: Path, files: Mapping[str, str], message: str) -> None:
    """Commit files in a work tree."""
    for name, text in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run_git(work, "add", ".")
    run_git(work, "commit", "--quiet", "-m", message)


def commit_elsewhere(bare: Path, files: Mapping[str, str], message: str) -> None:
    """Somebody else commits to main of a bare repository."""
    work = bare.parent / "work"
    run_git(work, "pull", "--quiet", "origin", "main")
    push_files(work, files, message)
    run_git(work, "push", "--quiet", "origin", "HEAD:main")


def read_branch(bare: Path, path: str, branch: str = "main") -> str:
    """A file as it is in a branch now."""
    return run_git(bare, "show", f"{branch}:{path}")


@contextmanager
def serve_git(
    root: Path, *, username: str = "", password: str = "", pushes: Moments | None = None
) -> Iterator[str]:
    """Serve the repositories below a directory, pushes included; gives the address.

    `pushes` can hold a push before it is applied, and its answer.
    """
    pushes = pushes or Moments()
    expected = f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            if username and self.headers.get("Authorization") != expected:
                self.send_response(401)
                self.end_headers()
                return
            parts = urlsplit(self.path)
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = self._read_chunks()
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            environment = {
                **_PLAIN,
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": parts.path,
                "QUERY_STRING": parts.query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "throughline",
                "REMOTE_ADDR": "127.0.0.1",
            }
            is_push = self.command == "POST" and parts.path.endswith("/git-receive-pack")
            if is_push:
                pushes.before_doing.pass_through()
            done = subprocess.run(
                ["git", "http-backend"],
                input=body,
                env=environment,
                capture_output=True,
                check=False,
            )
            if is_push:
                pushes.before_answering.pass_through()
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
            self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_one  # noqa: N815 - the names the server calls

        def _read_chunks(self) -> bytes:
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
