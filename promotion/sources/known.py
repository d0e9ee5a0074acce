"""The sources there are. A new one is a module of its own and a line here."""

from promotion.exceptions import InputError

from . import (
    alertmanager,
    argocd,
    artifactory,
    aws,
    azure,
    azuredevops,
    bitbucket,
    buildbot,
    buildkite,
    cdevents,
    circleci,
    cloudevents,
    devlake,
    dockerhub,
    evidence,
    flux,
    generic,
    gitea,
    github,
    gitlab,
    gocd,
    google,
    grafana,
    harbor,
    jenkins,
    netlify,
    newrelic,
    nexus,
    opsgenie,
    pagerduty,
    quay,
    registry,
    rundeck,
    semaphore,
    sentry,
    sonarqube,
    spinnaker,
    squadcast,
    statuspage,
    teamcity,
    tekton,
    travis,
)
from .base import Delivery, Source

# Gitea stands before GitHub, whose headers it sends as well.
SOURCES: dict[str, Source] = {
    "generic": generic.SOURCE,
    "cloudevents": cloudevents.SOURCE,
    "cdevents": cdevents.SOURCE,
    "gitea": gitea.SOURCE,
    "github": github.SOURCE,
    "gitlab": gitlab.SOURCE,
    "bitbucket": bitbucket.SOURCE,
    "azuredevops": azuredevops.SOURCE,
    "jenkins": jenkins.SOURCE,
    "circleci": circleci.SOURCE,
    "buildkite": buildkite.SOURCE,
    "tekton": tekton.SOURCE,
    "travis": travis.SOURCE,
    "semaphore": semaphore.SOURCE,
    "teamcity": teamcity.SOURCE,
    "gocd": gocd.SOURCE,
    "buildbot": buildbot.SOURCE,
    "rundeck": rundeck.SOURCE,
    "netlify": netlify.SOURCE,
    "argocd": argocd.SOURCE,
    "flux": flux.SOURCE,
    "spinnaker": spinnaker.SOURCE,
    "registry": registry.SOURCE,
    "harbor": harbor.SOURCE,
    "dockerhub": dockerhub.SOURCE,
    "quay": quay.SOURCE,
    "artifactory": artifactory.SOURCE,
    "nexus": nexus.SOURCE,
    "aws": aws.SOURCE,
    "google": google.SOURCE,
    "azure": azure.SOURCE,
    "pagerduty": pagerduty.SOURCE,
    "opsgenie": opsgenie.SOURCE,
    "squadcast": squadcast.SOURCE,
    "newrelic": newrelic.SOURCE,
    "sentry": sentry.SOURCE,
    "statuspage": statuspage.SOURCE,
    "alertmanager": alertmanager.SOURCE,
    "grafana": grafana.SOURCE,
    "sonarqube": sonarqube.SOURCE,
    "devlake": devlake.SOURCE,
    "evidence": evidence.SOURCE,
}


def source_named(kind: str) -> Source:
    """The source of that kind; InputError names those there are."""
    try:
        return SOURCES[kind]
    except KeyError:
        raise InputError(
            f"There is no source called {kind}; there are {', '.join(sorted(SOURCES))}."
        ) from None


def guess_kind(delivery: Delivery) -> str | None:
    """The kind of sender whose headers these are, if any tool's are."""
    return next((kind for kind, one in SOURCES.items() if one.is_guessed_from(delivery)), None)
