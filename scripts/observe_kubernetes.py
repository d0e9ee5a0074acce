#!/usr/bin/env python3
"""Posts the digests that run in a Kubernetes cluster to Throughline. Standard library only.

    kubectl get pods -A -o json | observe_kubernetes.py --environment production --target eu-1

The address comes from THROUGHLINE_URL, the token (scope `events`) from THROUGHLINE_TOKEN. How to
tell environments apart by namespace or label: docs/how-to/observe-a-cluster.md.
"""

import argparse
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone

# containerd and CRI-O say name@digest, the Docker shim of old docker-pullable://name@digest.
IMAGE_ID = re.compile(r"^(?:[a-z-]+://)?(?P<name>[^@]+)@(?P<digest>sha256:[0-9a-f]{64})$")
AT_ONCE = 500
TRIES = 5


def main():
    """Read the pods, tell what runs, say how much."""
    given = read_arguments()
    try:
        pods = json.load(sys.stdin).get("items")
    except (ValueError, AttributeError):
        pods = None
    if not isinstance(pods, list):
        sys.exit(
            "Standard input is not what `kubectl get pods -o json` prints. Nothing was posted."
        )
    facts, notes = observe(pods, given)
    for note in notes:
        print(note, file=sys.stderr)
    if given.dry_run:
        json.dump(facts, sys.stdout, indent=2)
        return
    for begin in range(0, len(facts), AT_ONCE):
        post(given.url, given.token, facts[begin : begin + AT_ONCE])
    print(f"{len(facts)} observations posted.")


def read_arguments():
    """The command line and the environment."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--environment", default="", help="of every pod not mapped otherwise")
    parser.add_argument(
        "--namespace",
        action="append",
        default=[],
        metavar="NAMESPACE=ENVIRONMENT",
        help="may be repeated; with any given, pods of other namespaces need --environment",
    )
    parser.add_argument("--environment-label", default="", help="pod label naming the environment")
    parser.add_argument("--service-label", default="", help="pod label naming the service")
    parser.add_argument("--target", default="", help="this cluster, as a target of the environment")
    parser.add_argument("--url", default=os.environ.get("THROUGHLINE_URL", ""))
    parser.add_argument("--dry-run", action="store_true", help="print the facts, post nothing")
    given = parser.parse_args()
    given.token = os.environ.get("THROUGHLINE_TOKEN", "")
    given.namespaces = {}
    for pair in given.namespace:
        name, equals, environment = pair.partition("=")
        if not (name and equals and environment):
            parser.error(f"--namespace {pair}: write it as NAMESPACE=ENVIRONMENT")
        given.namespaces[name] = environment
    if not given.dry_run and not (given.url and given.token):
        parser.error("THROUGHLINE_URL and THROUGHLINE_TOKEN are needed (or --dry-run)")
    return given


def observe(pods, given, now=None):
    """The facts, one for each image that runs in an environment, and what was left out and why."""
    seen_at = (now or datetime.now(timezone.utc)).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: UP017 - old Pythons
    facts, notes = {}, set()
    for pod in pods:
        about = pod.get("metadata") or {}
        labels, namespace = about.get("labels") or {}, about.get("namespace") or ""
        environment = (
            labels.get(given.environment_label)
            or given.namespaces.get(namespace)
            or given.environment
        )
        if not environment:
            notes.add(f"The namespace {namespace} is mapped to no environment; it was left out.")
            continue
        for container in (pod.get("status") or {}).get("containerStatuses") or []:
            if "running" not in (container.get("state") or {}):
                continue
            found = IMAGE_ID.match(container.get("imageID") or "")
            if not found:
                notes.add(f"{container.get('image')} runs without a digest; it was left out.")
                continue
            fact = {
                "kind": "observation",
                "environment": environment,
                "name": without_host(found["name"]),
                "digest": found["digest"],
                "occurred_at": seen_at,
            }
            if given.target:
                fact["target"] = given.target
            if labels.get(given.service_label):
                fact["service"] = labels[given.service_label]
            facts[(environment, fact["name"], fact["digest"], fact.get("service"))] = fact
    return list(facts.values()), sorted(notes)


def without_host(name):
    """The image's path in its registry."""
    head, slash, rest = name.partition("/")
    is_host = slash and ("." in head or ":" in head or head == "localhost")
    return rest if is_host else name


def post(url, token, facts):
    """Post one batch; what breaks is tried again, which is harmless, what is refused is said."""
    request = urllib.request.Request(  # noqa: S310 - the address is the caller's own
        url.rstrip("/") + "/api/v1/events",
        data=json.dumps(facts).encode(),
        headers={"Authorization": "Bearer " + token, "Content-Type": "application/json"},
    )
    for number in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=30):  # noqa: S310
                return
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                sys.exit(f"Refused ({error.code}): {error.read(1000).decode(errors='replace')}")
            reason = error
        except OSError as error:
            reason = error
        if number + 1 < TRIES:
            time.sleep(2**number)
    sys.exit(f"{url} could not be reached in {TRIES} tries: {reason}. Run it again.")


if __name__ == "__main__":
    main()
