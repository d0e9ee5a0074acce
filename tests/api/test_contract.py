"""The API keeps what its OpenAPI document says, whatever is sent: schemathesis against the real application.

A longer run: `THROUGHLINE_CONTRACT_EXAMPLES=500 pytest tests/api/test_contract.py`, with DATABASE_URL
against PostgreSQL.
"""

import os
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from promotion.models import Event, Incident, Token
from tests.factories import (
    NOW,
    make_build,
    make_observation,
    make_person,
    make_promotion,
    make_token,
)

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("THROUGHLINE_CONTRACT_EXAMPLES", "8"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


@pytest.fixture
def known(lane) -> dict[str, Any]:
    """What stands in addresses, so that not every answer is that there is no such thing."""
    build = make_build(lane.service)
    make_observation(lane.service, lane.production, at=NOW, digest=lane.digest)
    incident = Incident.objects.create(
        external_id="I-1",
        source="generic",
        service=lane.service,
        opened_at=NOW,
        received_at=NOW,
    )
    event = Event.objects.create(
        source="generic", delivery_id="1", body=b"{}", received_at=NOW - timedelta(hours=1)
    )
    promotion = make_promotion(lane.release, lane.production)
    return {
        "number": [str(promotion.pk), f"P-{promotion.pk}", "9" * 18],
        "id": [lane.release.pk, event.pk, incident.pk, build.pk, 1, 2**63, 10**30],
        "slug": ["shipment-api", "production"],
        "digest": [lane.digest, "sha256:" + "A" * 64],
        "name": ["first-pass-success", "automated-share", "failures"],
        "service": ["shipment-api"],
        "environment": ["production", "staging"],
        "release": ["4.18.0", lane.release.pk],
        "team": ["shipping"],
    }


@pytest.fixture
def one_connection():
    """A request leaves the test's transaction alone, as it does with Django's own test client."""
    signals = (request_started, request_finished)
    for one in signals:
        one.disconnect(close_old_connections)
    yield
    for one in signals:
        one.connect(close_old_connections)


@pytest.fixture
def schema(one_connection):
    person = make_person("root", is_superuser=True)
    _, text = make_token(*Token.Scope.values, user=person)
    made = schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())
    made.config.update(headers={"Authorization": f"Bearer {text}"})
    return made


def test_every_operation_answers_as_the_document_says_whatever_it_is_sent(schema, known):
    seen: Counter[int] = Counter()
    wrong: dict[str, str] = {}
    operations = [one.ok() for one in schema.get_all_operations()]
    for operation in operations:
        try:
            attack(operation, known, seen)
        except (Failure, FailureGroup, AssertionError) as error:
            wrong[operation.label] = str(error)[:1500]
    assert wrong == {}, "\n\n".join(f"{label}\n{said}" for label, said in wrong.items())
    assert len(operations) > 25
    assert {200, 202, 400, 404, 409} <= set(seen)


def attack(operation, known: dict[str, Any], seen: Counter[int]) -> None:
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    cases = st.one_of([operation.as_strategy(generation_mode=one) for one in modes])

    @seed(20260302)
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, data=st.data())
    def once(case, data) -> None:
        for place in (case.path_parameters, case.query, case.body):
            for name in set(place) & set(known) if isinstance(place, dict) else ():
                if data.draw(st.booleans()):
                    place[name] = data.draw(st.sampled_from(known[name]))
        answer = case.call()
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    once()


def test_every_refusal_of_a_body_is_in_the_document(schema):
    reading = 0
    for one in schema.get_all_operations():
        operation = one.ok()
        said = operation.definition.raw
        if "application/json" in said.get("requestBody", {}).get("content", {}):
            assert {"413", "415"} <= set(said["responses"]), operation.label
            reading += 1
    assert reading > 5
