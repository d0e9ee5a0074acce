"""The leadership's page of maturity in a real browser: charts, twins, both themes, phone, print."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright

from metrics.actions.agree import agree, submit
from metrics.actions.assess import Given, save_answer, start_assessment
from metrics.actions.share import change_sharing
from metrics.maturity.loading import load_shipped_model
from metrics.models import Share
from promotion.models import Role, User
from tests.factories import make_person, make_team
from tests.parts.checked_team import make_checked_team

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True)]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser(django_db_setup: None) -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django would otherwise refuse.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def leader() -> User:
    """Looks at an assessed team that shares its answers, and one that has assessed nothing."""
    made, at = make_checked_team(), timezone.now()
    made.do_well()
    make_team("billing")
    member = make_person("mei", Role.MEMBER, team=made.team)
    other = make_person("daniel", Role.MEMBER, team=made.team)
    key = start_assessment(made.team, person=member, at=at).pk
    for statement in load_shipped_model().statements:
        save_answer(key, Given(statement.id, statement.scale[-1]), person=member, at=at)
    submit(key, person=member, at=at)
    agree(key, person=other, at=at)
    change_sharing(made.team, Share.ANSWERS, person=member, at=at)
    return make_person("carla", Role.VIEWER)


def open_page(
    browser: Browser, live_server: Any, person: User, path: str, size: str, scheme: str
) -> tuple[Page, list[str]]:
    """The page, and what the browser complains of."""
    client = Client()
    client.force_login(person)
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints: list[str] = []
    page.on(
        "console",
        lambda each: complaints.append(each.text) if each.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{live_server.url}{path}")
    return page, complaints


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_the_page_draws_its_charts_fits_and_is_accessible(
    browser: Browser, live_server: Any, leader: User, size: str, scheme: str
) -> None:
    page, complaints = open_page(browser, live_server, leader, "/maturity/", size, scheme)
    charts = page.locator("[data-chart]")
    expect(charts).to_have_count(3)
    for index in range(3):
        expect(charts.nth(index)).to_have_attribute("data-chart-state", "drawn")
    twin = page.locator("#calibration summary")
    twin.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#calibration table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    assert violations(page) == []
    page.get_by_role("link", name="Shipping").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The team shares levels and answers")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    assert violations(page) == []
    assert complaints == []
    page.context.close()
