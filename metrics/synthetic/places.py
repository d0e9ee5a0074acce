"""What made-up services share: environments, teams, people, and their pipeline."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from django.db.models import Model

from metrics.rollups.inserting import next_key
from promotion.models import (
    Environment,
    Membership,
    Pipeline,
    PipelineVersion,
    Service,
    Target,
    Team,
    User,
)
from promotion.rules.pipeline import pipeline_document, read_pipeline

STAGES = ("dev", "test", "staging", "production")
TIERS = dict(zip(STAGES, ("development", "testing", "staging", "production"), strict=True))
TARGETS = ("eu-1", "us-1")
REACHES = {"dev": 1.0, "test": 0.85, "staging": 0.85, "production": 0.8}  # of those before it
PER_RELEASE = 1 + 0.85 + 0.85**2 + 0.85**2 * 0.8 * 1.05  # deployments, reversals included
PIPELINE = """
service: {service}
stages:
  - {{name: dev, environment: dev}}
  - {{name: test, environment: test, after: [dev]}}
  - {{name: staging, environment: staging, after: [test]}}
  - name: production
    environment: production
    after: [staging]
    gates:
      - signature: {{}}
    approvals:
      - {{name: release managers, count: 1, from: ["role:release manager"]}}
"""
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Size:
    """How much to make: services, deployments of all together, days they are spread over."""

    services: int
    deployments: int
    days: int
    seed: int


@dataclass(slots=True)
class Places:
    """What all services share."""

    environments: dict[str, int]
    people: list[int]
    keys: dict[type[Model], Iterator[int]] = field(default_factory=dict)

    def key(self, model: type[Model]) -> int:
        """A key nobody has."""
        if model not in self.keys:
            self.keys[model] = count(next_key(model))
        return next(self.keys[model])


def make_places(size: Size) -> Places:
    """Environments, teams by the number of services, and release managers; made once."""
    environments = {}
    for rank, slug in enumerate(STAGES):
        defaults = {"name": slug.title(), "tier": TIERS[slug], "rank": rank}
        environment, _ = Environment.objects.get_or_create(slug=slug, defaults=defaults)
        environments[slug] = environment.pk
    for name in TARGETS:
        Target.objects.get_or_create(environment_id=environments["production"], name=name)
    whole, _ = Team.objects.get_or_create(slug="engineering", defaults={"name": "Engineering"})
    for number in range(max(1, size.services // 10)):
        defaults = {"name": f"Team {number + 1}", "parent": whole}
        Team.objects.get_or_create(slug=f"team-{number + 1:02}", defaults=defaults)
    people = []
    for number in range(5):
        person, _ = User.objects.get_or_create(username=f"person-{number + 1}")
        Membership.objects.get_or_create(user=person, team=None, role="release manager")
        people.append(person.pk)
    return Places(environments, people)


def make_service(number: int, at: datetime) -> Service:
    """A service with a pipeline applied at `at`."""
    teams = list(Team.objects.exclude(slug="engineering").order_by("slug"))
    slug = f"service-{number + 1:04}"
    service = Service.objects.create(
        slug=slug, team=teams[number % len(teams)], repository=f"synthetic/{slug}"
    )
    text = PIPELINE.format(service=slug)
    PipelineVersion.objects.create(
        pipeline=Pipeline.objects.create(service=service),
        number=1,
        text=text,
        document=pipeline_document(read_pipeline(text)),
        applied_at=at,
    )
    return service
