"""Times the intake beside bare PostgreSQL, and prints JSON.

Run with `python benchmarks/intake.py [--seconds N] [--rate N] [--batches N] [--events N]`. It makes a
database of its own (DATABASE_URL names the server, by default postgres@127.0.0.1) and drops it, and
starts the web process as it is run for real (gunicorn, threads, a pool) with a redis-server of its own.
Nothing processes the events meanwhile, but in the memory test: the acknowledgement must not need it.

- single: webhooks signed as GitHub signs, at a steady rate whatever the answers take; milliseconds
  from when each was due to its 202.
- batches: 100 facts in one POST to /api/v1/events, one after the other, beside one INSERT of the same
  100 rows into a bare table with a commit each, in turns; what is sent is made ready before either.
- memory: resident size of the web's processes over many events, and of a worker's that processes
  what it can of them meanwhile and goes on afterwards until it processed `--processed`.
"""

import argparse
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psutil
import psycopg

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
SERVER = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
DATABASE = f"throughline_benchmark_{os.getpid()}"
URL = f"{SERVER.rpartition('/')[0]}/{DATABASE}"
SECRET = "benchmark-secret"
BATCH = 100
PAYLOAD = json.loads((ROOT / "tests/fixtures/github/deployment_status.json").read_text())

os.environ |= {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DATABASE_URL": URL,
    "SECRET_KEY": "only-for-the-benchmark",
    "THROUGHLINE_ENCRYPTION_KEYS": "dGVzdC1vbmx5LWtleS0wMTIzNDU2Nzg5YWJjZGVmMDE=",
    "LOG_LEVEL": "ERROR",
}


def main() -> None:
    """Set up, measure, print, clean up."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30, help="of single webhooks")
    parser.add_argument("--rate", type=float, default=200, help="webhooks a second")
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--events", type=int, default=200_000, help="of the memory test, 0 = none")
    parser.add_argument("--processed", type=int, default=50_000, help="at least, by the worker")
    parser.add_argument("--senders", type=int, default=16, help="connections of the tools")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8)
    given = parser.parse_args()
    with run_everything(given.workers, given.threads) as (port, token, web):
        warm_up(port, token)
        report = {
            "single": measure_singles(port, given.rate, given.seconds, given.senders),
            "batches": measure_batches(port, token, given.batches),
        }
        if given.events:
            with run_worker() as worker:
                report["memory"] = measure_memory(
                    port, (web, worker), given.events, given.senders, given.processed
                )
    report["load_average"] = [round(one, 1) for one in os.getloadavg()]
    print(json.dumps(report, indent=2))


@contextlib.contextmanager
def run_everything(workers: int, threads: int) -> Iterator[tuple[int, str, psutil.Process]]:
    """A database, a broker, the web; yields its port, a token, its process."""
    import django

    django.setup()
    from tests.parts.processes import make_redis
    from tests.parts.registry import find_free_port

    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{DATABASE}"')
    with tempfile.TemporaryDirectory(prefix="throughline-intake-") as directory:
        os.environ["THROUGHLINE_DATA"] = directory
        broker = make_redis(Path(directory))
        broker.start()
        os.environ["REDIS_URL"] = broker.url
        token = fill()
        port = find_free_port()
        command = [
            sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}",
            "--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads),
            "--keep-alive", "30", "--log-level", "error",
        ]  # fmt: skip
        web = subprocess.Popen(command, cwd=ROOT, env=os.environ.copy())
        try:
            wait_for(port)
            yield port, token, psutil.Process(web.pid)
        finally:
            web.terminate()
            web.wait(30)
            broker.kill()
            with psycopg.connect(SERVER, autocommit=True) as server:
                server.execute(f'DROP DATABASE "{DATABASE}" WITH (FORCE)')


@contextlib.contextmanager
def run_worker() -> Iterator[psutil.Process]:
    """A worker as it is run for real, with one process that works."""
    command = [
        sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "1",
        "--without-gossip", "--without-mingle", "--loglevel", "ERROR",
    ]  # fmt: skip
    worker = subprocess.Popen(command, cwd=ROOT, env=os.environ.copy())
    try:
        yield psutil.Process(worker.pid)
    finally:
        worker.terminate()
        worker.wait(60)


def fill() -> str:
    """The tables, a sender and a token, whose text is returned."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from promotion.models import Environment, Sender, Service, Team, Tier, Token

    call_command("migrate", verbosity=0)
    at = timezone.now()
    Sender.objects.create(slug="github", name="GitHub", kind="github", secret=SECRET, created_at=at)
    # What the events speak of is in the catalog, so that they become deployments.
    team = Team.objects.create(slug="shipping", name="Shipping")
    repository = PAYLOAD["repository"]["full_name"]
    Service.objects.create(slug="shipment-api", team=team, repository=repository)
    for name in {PAYLOAD["deployment"]["environment"].lower(), "production"}:
        Environment.objects.create(slug=name, name=name, tier=Tier.PRODUCTION, rank=1)
    token, text = Token.make(name="benchmark", user=None, scopes=["events"], created_at=at)
    token.save()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " received_at timestamptz NOT NULL, delivery text NOT NULL UNIQUE, fact jsonb NOT NULL)"
        )
    connection.close()
    return text


def wait_for(port: int) -> None:
    """Until the web answers; the first answer waits for every page to be imported."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            ask(http.client.HTTPConnection("127.0.0.1", port, timeout=60), "GET", "/hooks/none")
            return
        time.sleep(0.2)
    raise SystemExit("The web did not answer within three minutes.")


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> int:
    """The status of the answer, read to its end."""
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def webhook() -> tuple[bytes, dict[str, str]]:
    """A delivery as GitHub sends it, of its usual size, of a deployment that nobody has seen."""
    deployment = PAYLOAD["deployment"] | {"id": uuid.uuid4().int >> 80}
    body = json.dumps(PAYLOAD | {"deployment": deployment}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {
        "Content-Type": "application/json",
        "X-GitHub-Event": "deployment_status",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={signature}",
    }


def facts() -> list[dict[str, Any]]:
    """A hundred facts that nobody has seen."""
    stem = uuid.uuid4().hex
    return [
        {
            "kind": "deployment",
            "service": "shipment-api",
            "environment": "production",
            "digest": "sha256:" + hashlib.sha256(f"{stem}{number}".encode()).hexdigest(),
            "result": "succeeded",
            "external_id": f"{stem}-{number}",
            "finished_at": "2026-11-24T10:15:00Z",
        }
        for number in range(BATCH)
    ]


def warm_up(port: int, token: str) -> None:
    """Have every thread of the web open what it needs."""
    send_many(port, 400, senders=16)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(20):
        post_batch(connection, token, json.dumps(facts()).encode())


def measure_singles(port: int, rate: float, seconds: float, senders: int) -> dict[str, Any]:
    """Latency at a steady rate; one that is late counts from when it was due."""
    due: SimpleQueue[float | None] = SimpleQueue()
    taken: list[float] = []
    failed: list[int] = []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while (at := due.get()) is not None:
            body, headers = webhook()
            status = ask(connection, "POST", "/hooks/github", body, headers)
            (taken if status == 202 else failed).append(time.perf_counter() - at)

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    begun, count = time.perf_counter(), int(rate * seconds)
    for number in range(count):
        at = begun + number / rate
        time.sleep(max(0.0, at - time.perf_counter()))
        due.put(at)
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    ordered = sorted(one * 1000 for one in taken)
    return {
        "asked_per_second": rate,
        "answered_per_second": round(count / (time.perf_counter() - begun), 1),
        "acknowledged": len(taken),
        "not_acknowledged": len(failed),
        **{f"p{p}_ms": round(ordered[int(len(ordered) * p / 100)], 2) for p in (50, 90, 99)},
        "slowest_ms": round(ordered[-1], 2),
    }


def post_batch(connection: http.client.HTTPConnection, token: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    status = ask(connection, "POST", "/api/v1/events", body, headers)
    assert status == 202, status


def measure_batches(port: int, token: str, count: int) -> dict[str, Any]:
    """Facts a second through the API and into a bare table, the same rows in turns."""
    ours, bare = [], []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with psycopg.connect(URL) as database:
        for _ in range(count):
            batch = facts()
            body = json.dumps(batch).encode()
            begun = time.perf_counter()
            post_batch(connection, token, body)
            ours.append(time.perf_counter() - begun)
            rows = [part for one in batch for part in (one["external_id"], json.dumps(one))]
            begun = time.perf_counter()
            values = ", ".join(["(now(), %s, %s)"] * len(batch))
            database.execute(
                f"INSERT INTO bare (received_at, delivery, fact) VALUES {values}", rows
            )
            database.commit()
            bare.append(time.perf_counter() - begun)
    speeds = {
        name: BATCH / statistics.median(taken) for name, taken in (("ours", ours), ("bare", bare))
    }
    return {
        "batches": count,
        "facts_per_second": round(speeds["ours"]),
        "bare_rows_per_second": round(speeds["bare"]),
        "share_of_bare": round(speeds["ours"] / speeds["bare"], 2),
    }


def send_many(port: int, count: int, *, senders: int) -> None:
    """As fast as they are answered."""

    def send(share: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(share):
            body, headers = webhook()
            assert ask(connection, "POST", "/hooks/github", body, headers) == 202

    threads = [
        threading.Thread(target=send, args=(count // senders,), daemon=True) for _ in range(senders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def measure_memory(
    port: int,
    processes: tuple[psutil.Process, psutil.Process],
    count: int,
    senders: int,
    processed: int,
) -> dict[str, Any]:
    """Resident megabytes after each tenth of the events, of the web's processes and the worker's."""
    sizes: list[dict[str, float]] = []

    def note() -> int:
        web, worker = (
            round(sum(one.memory_info().rss for one in parent.children()) / 1e6, 1)
            for parent in processes
        )
        done = count_processed()
        sizes.append({"processed": done, "web": web, "worker": worker})
        print(f"{len(sizes) - 1}: {sizes[-1]}", file=sys.stderr)
        return done

    begun, before = time.perf_counter(), note()
    for _ in range(10):
        send_many(port, count // 10, senders=senders)
        note()
    sent = time.perf_counter()
    while count_processed() < processed:
        time.sleep(5)
    done = note()
    return {
        "events": count,
        "per_second_while_processed": round(count / (sent - begun), 1),
        "processed_per_second": round((done - before) / (time.perf_counter() - begun), 1),
        "resident_megabytes": sizes,
    }


def count_processed() -> int:
    """Events that became something, or nothing."""
    with psycopg.connect(URL) as database:
        (count,) = database.execute(
            "SELECT count(*) FROM promotion_event WHERE state <> 'received'"
        ).fetchone() or (0,)
    return int(count)


if __name__ == "__main__":
    main()
