"""The script that posts a cluster's running digests, run as a program against the product's own server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from promotion.actions.process_event import process_event
from promotion.models import Event, Observation, Target
from tests.factories import NOW, digest_of, make_environment, make_service, make_token

SCRIPT = Path(__file__).parents[2] / "scripts" / "observe_kubernetes.py"
DIGEST = digest_of("shipment-api")


def pod(namespace, image_id, *, labels=None, state="running"):
    status = {"name": "app", "image": "app:1", "imageID": image_id, "state": {state: {}}}
    return {
        "metadata": {"namespace": namespace, "labels": labels or {}},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


PODS = {
    "kind": "List",
    "items": [
        pod("shop", f"registry.example:5000/meridian/shipment-api@{DIGEST}"),
        pod("shop", f"docker-pullable://registry.example:5000/meridian/shipment-api@{DIGEST}"),
        pod("shop-staging", f"ghcr.io/meridian/shipment-api@{digest_of('staging')}"),
        pod("shop", "sha256:" + "a" * 64),
        pod("shop", f"ghcr.io/meridian/shipment-api@{digest_of('crashed')}", state="waiting"),
        pod("kube-system", f"ghcr.io/vendor/agent@{digest_of('agent')}"),
    ],
}
NAMESPACES = ("--namespace", "shop=production", "--namespace", "shop-staging=staging")


def run(*arguments, pods=PODS, url="", token=""):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        input=json.dumps(pods),
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "THROUGHLINE_URL": url, "THROUGHLINE_TOKEN": token},
    )


@pytest.mark.django_db(transaction=True)
def test_running_digests_become_observations_of_their_environments(live_server):
    make_service("shipment-api")
    make_environment("production", targets=("eu-1",))
    make_environment("staging")
    _, token = make_token("events")
    done = run(*NAMESPACES, "--target", "eu-1", url=live_server.url, token=token)
    assert (done.returncode, done.stdout) == (0, "2 observations posted.\n")
    assert "kube-system is mapped to no environment" in done.stderr
    process_event(Event.objects.get().pk, at=NOW)
    seen = Observation.objects.values_list("environment__slug", "target", "digest")
    assert set(seen) == {
        ("production", "eu-1", DIGEST),
        ("staging", "eu-1", digest_of("staging")),
    }
    assert Target.objects.filter(name="eu-1").count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_token_that_is_refused_is_said_and_not_tried_again(live_server):
    done = run(*NAMESPACES, url=live_server.url, token="tl_wrong")
    assert done.returncode == 1
    assert done.stderr.startswith("The namespace") or "Refused (401)" in done.stderr
    assert "Refused (401)" in done.stderr


def test_labels_go_before_namespaces_and_name_the_service():
    labels = {"env": "staging", "app": "orders"}
    pods = {"items": [pod("shop", f"ghcr.io/meridian/x@{DIGEST}", labels=labels)]}
    labelled = ("--environment-label", "env", "--service-label", "app")
    (fact,) = json.loads(run(*NAMESPACES, *labelled, "--dry-run", pods=pods).stdout)
    assert (fact["environment"], fact["service"]) == ("staging", "orders")
    assert (fact["name"], fact["digest"]) == ("meridian/x", DIGEST)


def test_what_is_no_list_of_pods_is_refused():
    done = run("--environment", "production", "--dry-run", pods=["x"])
    assert done.returncode == 1
    assert "Nothing was posted" in done.stderr
