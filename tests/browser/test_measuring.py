"""Charts under the real content security policy, and answering by keyboard, in a real browser."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright

from metrics.actions.assess import start_assessment
from metrics.described import BY_SLUG
from metrics.models import Answer, PageView
from promotion.models import Role, User
from promotion.rules.states import State
from tests.factories import (
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
    make_team,
)

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
def member() -> User:
    return make_person("mei", Role.MEMBER, team=make_team("shipping"))


@pytest.fixture
def deployed(member: User) -> None:
    service, places = make_service(team=make_team("shipping")), make_environments()
    make_pipeline(service)
    for number in range(12):
        at = timezone.now() - timedelta(days=40 - 3 * number)
        release = make_release(service, f"1.{number}.0", at=at)
        make_deployment(release, places["dev"], at=at + timedelta(hours=1))
        make_deployment(release, places["staging"], at=at + timedelta(hours=2))
        ended = at + timedelta(hours=5 + number)
        promotion = make_promotion(
            release,
            places["production"],
            state=State.SUCCEEDED,
            at=at + timedelta(hours=3),
            started_at=at + timedelta(hours=4),
            ended_at=ended,
        )
        make_deployment(release, places["production"], at=ended, promotion=promotion)


def open_page(
    browser: Browser, live_server: Any, person: User, path: str, size: str = "desk", dark: str = ""
) -> tuple[Page, list[str]]:
    """The page, and what the browser complains of."""
    client = Client()
    client.force_login(person)
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
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


@pytest.mark.parametrize(("size", "dark"), [("desk", ""), ("phone", "dark")])
@pytest.mark.parametrize("path", ["/measures/", *(f"/measures/{slug}/" for slug in BY_SLUG)])
def test_every_chart_is_drawn_and_nothing_is_complained_of(
    browser: Browser,
    live_server: Any,
    member: User,
    deployed: None,
    path: str,
    size: str,
    dark: str,
) -> None:
    page, complaints = open_page(browser, live_server, member, path, size, dark)
    charts = page.locator("[data-chart]")
    assert charts.count()
    for index in range(charts.count()):
        expect(charts.nth(index)).to_have_attribute("data-chart-state", "drawn")
        expect(charts.nth(index).locator("svg.main-svg").first).to_be_visible()
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    assert violations(page) == []
    page.context.close()


@pytest.mark.usefixtures("deployed")
def test_a_chart_is_saved_as_an_image_that_says_what_it_was_asked(
    browser: Browser, live_server: Any, member: User
) -> None:
    page, complaints = open_page(browser, live_server, member, reverse("measure-list"))
    saved = {}
    for form in ("svg", "png"):
        with page.expect_download() as download:
            page.locator(f'[data-chart-image="{form}"]').first.click()
        saved[form] = Path(download.value.path()).read_bytes()

    svg = saved["svg"].decode()
    assert "definition v1" in svg
    assert "as of" in svg
    assert saved["png"].startswith(b"\x89PNG")
    assert complaints == []
    page.context.close()


def test_that_the_measures_were_looked_at_is_told_once_the_page_stands(
    browser: Browser, live_server: Any, member: User
) -> None:
    page, _ = open_page(browser, live_server, member, "/measures/")
    page.wait_for_load_state("networkidle")
    assert [view.team.slug for view in PageView.objects.all()] == ["shipping"]
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_statement_is_answered_with_the_arrow_keys_and_saved(
    browser: Browser, live_server: Any, member: User, size: str
) -> None:
    assessment = start_assessment(make_team("shipping"), person=member, at=timezone.now())
    path = reverse("assessment-detail", args=["shipping", assessment.cycle])
    page, complaints = open_page(browser, live_server, member, path, size)
    statement = page.locator(".statement").filter(has_text="Teams embrace artifact immutability")
    statement.locator("input[value=N]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(statement.get_by_role("status")).to_contain_text("Saved")
    expect(statement.get_by_role("radio", checked=True)).to_have_attribute("value", "L")
    expect(page.locator("#sentence")).to_contain_text("1 of 32 statements are answered")
    assert Answer.objects.get().value == "L"
    page.keyboard.press("Tab")
    expect(statement.locator("summary").first).to_be_focused()
    assert complaints == []
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    page.context.close()


def test_a_refused_answer_says_why_beside_it(
    browser: Browser, live_server: Any, member: User
) -> None:
    assessment = start_assessment(make_team("shipping"), person=member, at=timezone.now())
    path = reverse("assessment-detail", args=["shipping", assessment.cycle])
    page, _ = open_page(browser, live_server, member, path)
    statement = page.locator(".statement").filter(has_text="Teams track promotion failures")
    statement.get_by_label("Not applicable").check()
    expect(statement.get_by_role("status")).to_contain_text("Say why the statement does not apply")
    statement.locator("summary").first.click()
    statement.get_by_label("Why it does not apply").fill("No failures in a year.")
    page.keyboard.press("Tab")
    expect(statement.get_by_role("status")).to_contain_text("Saved")
    expect(statement).to_contain_text("counts as unanswered until somebody else agrees")
    assert Answer.objects.get().not_applicable_reason == "No failures in a year."
    page.context.close()
