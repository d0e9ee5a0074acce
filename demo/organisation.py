"""Meridian Freight: its teams, services and environments, and what they are connected to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from promotion.actions.connect_sender import make_sender
from promotion.models import (
    AllowedNetwork,
    Connection,
    Environment,
    Sender,
    Service,
    Target,
    Team,
    Tier,
    User,
)

PRODUCTION_TARGETS = ("eu-1", "us-1")
LOOPBACK = "127.0.0.1"
DIRECTORY = "demo"  # below the data directory
BUILD_REGISTRY, PRODUCTION_REGISTRY, GITOPS = "registry-build", "registry-production", "gitops"


@dataclass(frozen=True, slots=True)
class DemoTeam:
    """A team and how it works: shares of production deployments, and how long things take."""

    slug: str
    name: str
    parent: str
    authors: tuple[str, ...]
    approvers: tuple[str, ...]
    """Who approves in its history, in turn; none of them writes its commits."""
    days_between_releases: float
    hours_to_staging: tuple[float, float]
    hours_to_ask: tuple[float, float]
    hours_to_approve: tuple[float, float]
    by_tool: float = 0.0
    by_hand: float = 0.0
    by_unknown: float = 0.0
    going_wrong: float = 0.05
    promotes_since_days: int = 1000
    """Before that its deployments all came from other tools and hands."""


@dataclass(frozen=True, slots=True)
class DemoService:
    """A service: its newest version, what is special about its pipeline, and how its story ends."""

    slug: str
    team: str
    newest: str
    ending: str = "up_to_date"
    soak: str = ""
    rule: str = "one"
    has_qa: bool = False
    has_window: bool = False
    has_waves: bool = False
    verifies: bool = False
    observes: bool = False
    is_automatic: bool = False

    @property
    def repository(self) -> str:
        """Where its source is."""
        return f"meridian/{self.slug}"


TEAMS = (
    DemoTeam(
        "shipping-core", "Shipping core", "freight-operations",
        authors=("tomasz", "hanna", "luca"), approvers=("ines", "daniel"),
        days_between_releases=5.5, hours_to_staging=(2, 8), hours_to_ask=(3, 18),
        hours_to_approve=(0.3, 2.5), going_wrong=0.05,
    ),
    DemoTeam(
        "customs", "Customs", "freight-operations",
        authors=("kenji",), approvers=("mei", "ines"),
        days_between_releases=9, hours_to_staging=(6, 20), hours_to_ask=(10, 40),
        hours_to_approve=(0.5, 2.5), by_unknown=0.2, by_tool=0.1, going_wrong=0.18,
    ),
    DemoTeam(
        "driver-app", "Driver app", "freight-operations",
        authors=("leila", "hanna"), approvers=("daniel", "ines"),
        days_between_releases=7, hours_to_staging=(2, 10), hours_to_ask=(4, 20),
        hours_to_approve=(0.5, 3), by_tool=0.1, going_wrong=0.08, promotes_since_days=50,
    ),
    DemoTeam(
        "pricing", "Pricing", "commerce",
        authors=("jonas",), approvers=("mei", "amara", "ines", "daniel"),
        days_between_releases=7, hours_to_staging=(4, 16), hours_to_ask=(6, 30),
        hours_to_approve=(6, 26), going_wrong=0.14,
    ),
    DemoTeam(
        "billing", "Billing", "commerce",
        authors=("leila",), approvers=("ruth", "ines"),
        days_between_releases=8.5, hours_to_staging=(6, 30), hours_to_ask=(10, 50),
        hours_to_approve=(1, 8), by_hand=0.42, going_wrong=0.1,
    ),
    DemoTeam(
        "data-exchange", "Data exchange", "commerce",
        authors=("oskar",), approvers=("daniel", "ines"),
        days_between_releases=12, hours_to_staging=(10, 60), hours_to_ask=(20, 90),
        hours_to_approve=(4, 30), by_hand=0.5, by_unknown=0.3, going_wrong=0.2,
    ),
)  # fmt: skip
PARENTS = {"freight-operations": "Freight operations", "commerce": "Commerce"}
TEAM_BY_SLUG = {team.slug: team for team in TEAMS}

SERVICES = (
    DemoService(
        "shipment-api", "shipping-core", "4.18.1", "waits_for_second_approval",
        soak="24h", rule="leads", verifies=True,
    ),
    DemoService("label-printer", "shipping-core", "1.9.7", "waits_for_approval", verifies=True, is_automatic=True),
    DemoService("tracking-web", "shipping-core", "2.44.0", "rolls_out_in_waves", has_waves=True, is_automatic=True),
    DemoService("notification-hub", "shipping-core", "3.3.0", soak="12h", is_automatic=True),
    DemoService("rate-engine", "pricing", "7.1.9", "waits_for_approval", rule="two", has_qa=True),
    DemoService("surcharge-rules", "pricing", "3.0.1", "has_nobody_left", rule="team", has_qa=True),
    DemoService("quote-api", "pricing", "5.2.4", "errored", rule="two"),
    DemoService("fuel-index", "pricing", "1.14.2", rule="two"),
    DemoService("customs-gateway", "customs", "5.5.9", "failed_in_staging", has_qa=True, has_window=True),
    DemoService("declarations", "customs", "0.31.0", "soaks", soak="24h", has_qa=True),
    DemoService("tariff-lookup", "customs", "2.8.3", "expired", has_window=True),
    DemoService("border-status", "customs", "1.6.1", "rejected"),
    DemoService("billing-worker", "billing", "12.0.3", "drifts"),
    DemoService("invoice-render", "billing", "6.5.0", "begins"),
    DemoService("payment-ledger", "billing", "9.3.2", "built_twice"),
    DemoService("credit-check", "billing", "3.7.0", "vetoed"),
    DemoService("driver-app-bff", "driver-app", "8.1.4", "frozen"),
    DemoService("route-planner", "driver-app", "4.6.0", "superseded"),
    DemoService("proof-of-delivery", "driver-app", "2.12.5", "waits_for_approval"),
    DemoService("dispatch-board", "driver-app", "1.22.0", "rolled_back"),
    DemoService("edi-gateway", "data-exchange", "10.4.0", observes=True),
    DemoService("partner-portal", "data-exchange", "3.1.8", "runs_something_unknown", observes=True),
    DemoService("data-lake-export", "data-exchange", "2.0.6", "cancelled"),
    DemoService("carrier-feed", "data-exchange", "1.1.9", "lags"),
)  # fmt: skip
SERVICE_BY_SLUG = {service.slug: service for service in SERVICES}

ENVIRONMENTS = (
    ("dev", "Dev", Tier.DEVELOPMENT),
    ("qa", "QA", Tier.TESTING),
    ("staging", "Staging", Tier.STAGING),
    ("production", "Production", Tier.PRODUCTION),
)
SENDERS = (
    ("github", "GitHub", "github"),
    ("delivery", "Delivery of Customs", "cdevents"),
    ("gitops-controller", "GitOps controller", "generic"),
    ("deploy-script", "Deploy script of Billing and Data exchange", "generic"),
    ("inventory", "Inventory of the clusters", "generic"),
    ("pagerduty", "PagerDuty", "pagerduty"),
    ("status-desk", "Incident desk", "generic"),
)
RUNTIME_SENDER = "gitops-controller"


def make_catalog(slugs: list[str]) -> None:
    """Teams, environments with targets, and the services of those slugs."""
    teams = {
        slug: Team.objects.get_or_create(slug=slug, defaults={"name": name})[0]
        for slug, name in PARENTS.items()
    }
    for team in TEAMS:
        teams[team.slug], _ = Team.objects.get_or_create(
            slug=team.slug, defaults={"name": team.name, "parent": teams[team.parent]}
        )
    for rank, (slug, name, tier) in enumerate(ENVIRONMENTS):
        environment, _ = Environment.objects.get_or_create(
            slug=slug, defaults={"name": name, "tier": tier, "rank": rank}
        )
        for target in PRODUCTION_TARGETS if slug == "production" else ():
            Target.objects.get_or_create(environment=environment, name=target)
    for one in SERVICES:
        if one.slug in slugs:
            Service.objects.get_or_create(
                slug=one.slug,
                defaults={"team": teams[one.team], "repository": one.repository},
            )


def make_connections(person: User, port: int, at: datetime) -> None:
    """Senders, the two registries and the GitOps repository, and leave to call the runtime."""
    for number, (slug, name, kind) in enumerate(SENDERS):
        if not Sender.objects.filter(slug=slug).exists():
            make_sender(slug, name, kind, person=person, at=at + timedelta(minutes=number))
    kinds = {
        BUILD_REGISTRY: Connection.Kind.OCI_LAYOUT,
        PRODUCTION_REGISTRY: Connection.Kind.OCI_LAYOUT,
        GITOPS: Connection.Kind.GIT,
    }
    for name, kind in kinds.items():
        address = (
            f"{DIRECTORY}/{name}.git" if kind == Connection.Kind.GIT else f"{DIRECTORY}/{name}"
        )
        Connection.objects.get_or_create(
            name=name, defaults={"kind": kind, "address": address, "created_at": at}
        )
    AllowedNetwork.objects.get_or_create(
        network=f"{LOOPBACK}/32",
        defaults={
            "port": port,
            "reason": "verify-http asks the demo runtime whether a service is well.",
            "created_by": person,
            "created_at": at,
        },
    )
