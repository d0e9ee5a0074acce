"""A Redis server in Python for machines without one; run inside the made environment."""

import signal
import sys
import threading

from fakeredis import TcpFakeServer


def serve(port: int) -> None:
    """Serve on the loopback address until a SIGTERM."""
    server = TcpFakeServer(("127.0.0.1", port), server_type="redis")
    server.daemon_threads = True
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ending.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while not ending.wait(0.2):
        pass


if __name__ == "__main__":
    serve(int(sys.argv[1]))
