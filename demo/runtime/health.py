"""The address that verify-http asks whether a service is well."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from demo.organisation import LOOPBACK
from demo.runtime.place import place_name


def serve_health(port: int, running: Mapping[str, str]) -> ThreadingHTTPServer:
    """Answers GET /health/<service>/<target> in a thread of its own; raises OSError for a busy port.

    200 with the digest that runs in production there, 404 where nothing does.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = self.path.strip("/").split("/")
            digest = None
            if len(parts) == 3 and parts[0] == "health":
                digest = running.get(place_name(parts[1], "production", parts[2]))
            body = json.dumps({"status": "up" if digest else "down", "digest": digest}).encode()
            self.send_response(HTTPStatus.OK if digest else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: each verification asks many times."""

    server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    return server
