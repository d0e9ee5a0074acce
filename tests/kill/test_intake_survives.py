"""What was acknowledged is processed once, whatever happens to the broker and the workers meanwhile."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.utils import timezone

from promotion.models import Deployment, DeploymentReport, Event
from tests.factories import digest_of, make_environment, make_service, make_token
from tests.parts.processes import PROJECT, Processes, RunningProcess, database_url, wait_until
from tests.parts.registry import find_free_port

DELIVERIES = 60
SENDERS = 3


@contextmanager
def run_web(processes: Processes, directory: Path) -> Iterator[str]:
    """The product's web, on the tests' database and the broker that is killed; its address."""
    port = find_free_port()
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--threads", str(SENDERS)]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": processes.broker.url,
    }
    log = directory / "web.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    web = RunningProcess(process, log)
    try:
        wait_until(lambda: _answers(port), "the web answers")
        yield f"http://127.0.0.1:{port}"
    finally:
        web.kill()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/hooks/none", timeout=30).status_code == 405
    except httpx.TransportError:
        return False


def send(address: str, numbers: range, token: str, acknowledged: list[int]) -> None:
    """One tool that delivers one fact after the other."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        for number in numbers:
            fact = {
                "kind": "deployment",
                "service": "shipment-api",
                "environment": "dev",
                "digest": digest_of(str(number)),
                "result": "succeeded",
                "external_id": str(number),
                "finished_at": timezone.now().isoformat(),
            }
            answer = client.post("/api/v1/events", json=fact)
            if answer.status_code == 202:
                acknowledged.append(answer.json()["event"])


@pytest.mark.django_db(transaction=True)
def test_acknowledged_events_are_processed_once_though_broker_and_worker_die_under_load(
    processes: Processes, tmp_path: Path
) -> None:
    make_service("shipment-api")
    make_environment("dev")
    _, token = make_token("events")
    worker = processes.have_worker("--pool", "prefork", "--concurrency", "2")
    acknowledged: list[int] = []
    with run_web(processes, tmp_path) as address:
        threads = [
            threading.Thread(
                target=send, args=(address, range(n, DELIVERIES, SENDERS), token, acknowledged)
            )
            for n in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(acknowledged) >= DELIVERIES // 4, "a quarter is acknowledged")
        worker.kill()
        wait_until(lambda: len(acknowledged) >= DELIVERIES // 2, "half is, with no worker")
        processes.broker.kill()
        for thread in threads:
            thread.join()
    assert len(acknowledged) == DELIVERIES
    assert Event.objects.unprocessed().exists()
    processes.broker.start()
    processes.broker.forget()
    processes.have_worker("--pool", "prefork", "--concurrency", "2")
    wait_until(lambda: not Event.objects.unprocessed().exists(), "all is processed")
    assert set(Event.objects.values_list("pk", flat=True)) == set(acknowledged)
    assert set(Event.objects.values_list("state", flat=True)) == {Event.State.RECORDED}
    assert Deployment.objects.count() == DeploymentReport.objects.count() == DELIVERIES
