"""What to set in each tool so that its events arrive here; the page of a new sender shows it."""

from dataclasses import dataclass
from typing import Any

from . import argocd
from .authentication import AnyOf
from .authentication_tokens import SharedSecret
from .base import Source


@dataclass(frozen=True, slots=True)
class Setup:
    """Steps in order, and a text to paste where the tool wants one; {address} and {secret} are filled in."""

    steps: tuple[str, ...]
    template: str = ""


_BEARER = "Set the header Authorization to Bearer and the secret."
_CURL = """\
curl -X POST {address} \\
  -H 'Authorization: Bearer {secret}' \\
  -H 'Content-Type: application/json' \\
  -d '{"kind": "deployment", "service": "shop", "environment": "production",
       "digest": "sha256:…", "result": "succeeded", "finished_at": "2026-03-02T09:05:01Z"}'
"""
_FILE = """\
curl --fail-with-body -X POST -H 'Authorization: Bearer {secret}' \\
  --data-binary @junit.xml '{address}?digest=sha256:…&name=Unit+tests'
"""
_CLOUDEVENTS = (
    "Let the producer post to the address, in structured, binary or batch mode.",
    "Sign by Standard Webhooks with the secret, or send it as Authorization: Bearer.",
    "The handshake of CloudEvents webhooks (OPTIONS) is answered by itself.",
)
_PAGERDUTY = (
    "Open Integrations, then Generic Webhooks (v3), and add a subscription to the address.",
    "Choose the events incident.triggered, incident.acknowledged, incident.resolved and"
    " incident.reopened.",
    "PagerDuty makes the signing secret itself and shows it once: give it to us below, under the"
    " tool's own secret. Or send ours as a custom header Authorization.",
)

SETUP: dict[str, Setup] = {
    "github": Setup(
        (
            "In the organisation or repository open Settings, then Webhooks, and add a webhook.",
            "Paste the address as Payload URL and choose application/json as Content type.",
            "Paste the secret as Secret and leave the verification of certificates on.",
            "Choose single events: Workflow runs, Deployment statuses, Deployments, Pushes,"
            " Pull requests, Releases, Packages and Registry packages.",
        )
    ),
    "gitlab": Setup(
        (
            "In the group or project open Settings, then Webhooks, and add a webhook.",
            "Paste the address as URL and the secret as Secret token.",
            "Tick Deployment events, Pipeline events, Push events, Tag push events, Merge request"
            " events and Releases events.",
            "Leave SSL verification on.",
        )
    ),
    "gitea": Setup(
        (
            "In the organisation or repository open Settings, then Webhooks, and add one of the"
            " type Gitea or Forgejo.",
            "Paste the address as Target URL; method POST, content type application/json.",
            "Paste the secret as Secret.",
            "Trigger on Push, Release, Pull request merged, Package and, where it is offered,"
            " Workflow run.",
        )
    ),
    "bitbucket": Setup(
        (
            "In the repository or workspace open Settings, then Webhooks, and add a webhook.",
            "Paste the address as URL and the secret as Secret.",
            "Tick Repository: Push, Build status created, Build status updated, and Pull request:"
            " Merged. Of a server the same are called Push, Build status and Merged.",
        )
    ),
    "azuredevops": Setup(
        (
            "In the project open Project settings, then Service hooks, and create a subscription"
            " of the kind Web Hooks for each event.",
            "Events: Build completed, Run state changed, Run stage state changed, Release"
            " deployment completed, Code pushed and Pull request merged.",
            "Paste the address as URL. Take any name as basic authentication user and the secret"
            " as its password.",
            "Send all resource details.",
        )
    ),
    "jenkins": Setup(
        (
            "Install the plugin called Notification.",
            "In each job, or for all in the pipeline's properties, add an endpoint: format JSON,"
            " protocol HTTP, event All Events.",
            "Its URL is the address, ended by ?secret= and the secret: the plugin cannot send"
            " headers.",
        ),
        "{address}?secret={secret}",
    ),
    "circleci": Setup(
        (
            "In the project open Project Settings, then Webhooks, and add a webhook.",
            "Paste the address as Receiver URL and the secret as Secret token.",
            "Tick Workflow Completed and Job Completed, and leave certificate verification on.",
        )
    ),
    "buildkite": Setup(
        (
            "In the organisation open Settings, then Notification Services, and add a Webhook.",
            "Paste the address as Webhook URL.",
            "Buildkite makes the token itself: choose that it sends a signature, copy the token, and"
            " give it to us below, under the tool's own secret.",
            "Tick build.scheduled, build.running and build.finished.",
        )
    ),
    "argocd": Setup(
        (
            "Install the notifications controller, which is part of Argo CD since 2.3.",
            "In argocd-notifications-cm add a service webhook called throughline with the address"
            " as url and a header Authorization of Bearer and the secret.",
            "Add the template below, and let the triggers on-sync-running, on-sync-succeeded and"
            " on-sync-failed send it.",
            "Subscribe the applications to each of them, as by the annotation"
            " notifications.argoproj.io/subscribe.on-sync-succeeded.throughline.",
            "Give each application the label environment, or map application names here.",
        ),
        argocd.TEMPLATE,
    ),
    "flux": Setup(
        (
            "Create a Secret with the key token and the secret as its value.",
            "Create a Provider of the type generic-hmac with the address and that Secret.",
            "Create an Alert that takes the events of your Kustomizations and HelmReleases at"
            " severity info and names the Provider.",
            "Say environment under the Alert's eventMetadata, or map the names here.",
        ),
        """\
apiVersion: v1
kind: Secret
metadata: {name: throughline, namespace: flux-system}
stringData: {token: "{secret}"}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: throughline, namespace: flux-system}
spec: {type: generic-hmac, address: "{address}", secretRef: {name: throughline}}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: throughline, namespace: flux-system}
spec:
  providerRef: {name: throughline}
  eventSeverity: info
  eventMetadata: {environment: production}
  eventSources:
    - {kind: Kustomization, name: "*"}
    - {kind: HelmRelease, name: "*"}
""",
    ),
    "harbor": Setup(
        (
            "In the project open Webhooks and add one; type HTTP, payload default or CloudEvents.",
            "Paste the address as Endpoint URL, and Bearer and the secret as Auth Header.",
            "Tick Artifact pushed, Artifact deleted, Scanning finished and Replication status"
            " changed.",
        )
    ),
    "registry": Setup(
        (
            "Add an endpoint under notifications in the registry's configuration, as below.",
            "Leave out pulls: they are ignored here and only cost.",
            "Start the registry anew.",
        ),
        """\
notifications:
  endpoints:
    - name: throughline
      url: {address}
      headers:
        Authorization: ["Bearer {secret}"]
      timeout: 2s
      threshold: 5
      backoff: 10s
      ignore:
        actions: [pull]
""",
    ),
    "pagerduty": Setup(_PAGERDUTY),
    "opsgenie": Setup(
        (
            "Open Settings, then Integrations, and add an outgoing Webhook.",
            "Paste the address as Webhook URL and add the header Authorization of Bearer and the"
            " secret.",
            "Choose the actions Create, Close and, to see progress, Acknowledge; send the alert's"
            " details.",
        )
    ),
    "alertmanager": Setup(
        (
            "Add a receiver as below, and a route to it for the alerts that are incidents.",
            "Leave send_resolved on: without it no incident ever ends.",
        ),
        """\
receivers:
  - name: throughline
    webhook_configs:
      - url: {address}
        send_resolved: true
        http_config:
          authorization: {type: Bearer, credentials: "{secret}"}
""",
    ),
    "grafana": Setup(
        (
            "Under Alerting open Contact points and add one of the type Webhook.",
            "Paste the address as URL, method POST. Under HMAC signature paste the secret, or send"
            " it as Authorization header of the scheme Bearer.",
            "Route the alerts that are incidents to it, and leave resolved messages on.",
        )
    ),
    "sonarqube": Setup(
        (
            "Under Administration, Configuration, Webhooks (or of one project) create a webhook.",
            "Paste the address as URL and the secret as Secret.",
            "Let the scanner say the commit, so that the quality gate finds its digest.",
        )
    ),
    "cdevents": Setup(_CLOUDEVENTS),
    "cloudevents": Setup(_CLOUDEVENTS),
    "evidence": Setup(
        (
            f"Post each file as it is: SBOMs, scans, test results, attestations. {_BEARER}",
            "Say by digest what it is about, where the file itself does not.",
        ),
        _FILE,
    ),
    "google": Setup(
        (
            "Make a push subscription on the topic gcr, cloud-builds or clouddeploy-operations.",
            "Paste the address as endpoint. Enable authentication with a service account and give"
            " the address as audience; then name that account here, under Proof.",
            "Or end the endpoint with ?secret= and the secret.",
        )
    ),
    "aws": Setup(
        (
            "SNS: name the topic here, under Proof, and subscribe the address by HTTPS without raw"
            " message delivery. The event that arrives has a button to confirm it.",
            "EventBridge: make an API destination with the header X-Api-Key and the secret.",
        )
    ),
    "travis": Setup(
        (
            "Add the address to the repository's .travis.yml, as below.",
            "Name the owner or repository here, under Proof: Travis CI signs every delivery."
            " Or end the address with ?secret= and the secret, encrypted by travis encrypt.",
        ),
        "notifications:\n  webhooks:\n    urls: ['{address}']\n    on_start: never\n",
    ),
    "generic": Setup(
        (
            "Post one fact, a list of facts or one a line to the address.",
            _BEARER,
            "Send an Idempotency-Key where you may repeat yourself.",
        ),
        _CURL,
    ),
}
UNSAID = "<the secret>"
_GENERIC_FIRST = "In the tool's settings add a webhook that posts JSON to the address."
_GENERIC_LAST = (
    "Let it send what begins and ends: builds, deployments, incidents, pushes of images."
)


def setup_of(source: Source, *, address: str, secret: str = "") -> Setup:
    """The steps for that source, the text to paste filled in, but for a secret not given."""
    found = SETUP.get(source.kind)
    if found is None:
        found = Setup(
            (_GENERIC_FIRST, *_tell_proof(getattr(source, "scheme", None)), _GENERIC_LAST)
        )
    text = found.template.replace("{address}", address).replace("{secret}", secret or UNSAID)
    return Setup(found.steps, text)


def _tell_proof(scheme: Any) -> tuple[str, ...]:
    """How the secret is given, as the source's own scheme wants it."""
    if isinstance(scheme, AnyOf):
        told = dict.fromkeys(line for one in scheme.schemes for line in _tell_proof(one))
        return tuple(told)
    if isinstance(scheme, SharedSecret):
        header = f"Set the header {scheme.headers[0]} to Bearer and the secret."
        address = "Where it can set no header, end the address with ?secret= and the secret."
        return (header, address) if scheme.may_be_in_address else (header,)
    return ("Paste the secret where it asks for a secret, token or signing key.",)
