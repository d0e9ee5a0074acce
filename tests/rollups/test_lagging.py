"""What is behind is said, and what is too much to compute is not computed."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from metrics.actions.refresh_facts import refresh_stale
from metrics.rollups import freshness
from promotion.models import Role, Token
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_person,
    make_release,
    make_service,
    make_token,
)

pytestmark = pytest.mark.django_db
AT = NOW + timedelta(days=3)


@pytest.fixture
def client():
    with time_machine.travel(AT, tick=False):
        client = Client()
        client.force_login(make_person("ines", Role.RELEASE_MANAGER))
        yield client


@pytest.fixture
def release():
    found = make_release(make_service())
    make_deployment(found, make_environments()["production"], at=NOW)
    refresh_stale(AT)
    return found


def deploy_again(release):
    at = NOW + timedelta(hours=9)
    make_deployment(release, make_environments()["staging"], at=at)
    other = make_release(release.service, "5.0.0")
    return make_deployment(other, make_environments()["production"], at=at)


def count(client, query=""):
    page = client.get(reverse("measure-detail", args=["automated-share"]) + query)
    return page.context["result"].n, page.content.decode()


def test_what_changed_just_now_is_in_the_figure_without_being_written(client, release):
    deploy_again(release)

    n, page = count(client)

    assert (n, "brought up to date" in page) == (2, False)
    assert freshness.find_stale(AT)


def test_figures_that_lag_say_so(client, release, monkeypatch):
    monkeypatch.setattr(freshness, "AT_ONCE", 0)
    deploy_again(release)

    n, page = count(client)

    assert n == 1
    assert "1 service is being brought up to date" in page.replace("\n", " ")
    refresh_stale(AT)
    assert count(client)[0] == 2


def test_an_as_of_that_is_too_much_to_compute_shows_now_and_says_so(client, release, monkeypatch):
    monkeypatch.setattr(freshness, "AT_MOST", 0)
    deploy_again(release)
    refresh_stale(AT)
    query = "?as_of=" + (NOW + timedelta(hours=1)).isoformat().replace("+", "%2B")

    n, page = count(client, query)

    assert n == 2
    assert "narrow the question to a team or a service" in page
    _, text = make_token(Token.Scope.READ, user=make_person("mei"))
    headers = {"Authorization": f"Bearer {text}"}
    answer = Client().get("/api/v1/measures" + query, headers=headers)
    assert answer.status_code == 400


def test_an_earlier_as_of_is_computed_only_of_what_changed_since(client, release):
    make_deployment(
        make_release(make_service("label-print")), make_environments()["production"], at=NOW
    )
    deploy_again(release)
    refresh_stale(AT)
    query = "?as_of=" + (NOW + timedelta(hours=1)).isoformat().replace("+", "%2B")

    page = client.get(reverse("measure-detail", args=["automated-share"]) + query)

    assert page.context["result"].n == 2
    assert [each.service_key for each in page.context["fresh"].computed] == [release.service_id]
