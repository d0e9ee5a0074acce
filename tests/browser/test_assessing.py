"""An assessment by keyboard alone, by two who disagree, on a phone, and over a lost connection."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from metrics.actions.answer_alone import begin_alone
from metrics.actions.assess import find_cycle, start_assessment
from metrics.maturity.loading import load_shipped_model
from metrics.models import Answer, Assessment, Improvement, OwnAnswer
from promotion.models import Role, User
from tests.factories import make_person, make_service, make_team

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True)]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
STATEMENT = "process.3.built-once"


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
def mei() -> User:
    return make_person("mei", Role.MEMBER, team=make_team("shipping"))


@pytest.fixture
def daniel() -> User:
    return make_person("daniel", Role.MEMBER, team=make_team("shipping"))


def open_page(
    browser: Browser, live_server: Any, person: User, path: str, size: str = "desk", dark: str = ""
) -> Page:
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
    page.set_default_timeout(60_000)
    page.goto(f"{live_server.url}{path}")
    return page


def address(category: str = "process") -> str:
    path = reverse("assessment-detail", args=["shipping", find_cycle(timezone.now())])
    return f"{path}?category={category}"


def find(page: Page, statement: str = STATEMENT) -> Locator:
    return page.locator(f"[data-statement='{statement}']")


def answer(page: Page, value: str, statement: str = STATEMENT) -> None:
    find(page, statement).locator(f"input[value={value}]").check()
    expect(find(page, statement).get_by_role("status")).to_contain_text("Saved")


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


def press_on(page: Page, name: str) -> None:
    """Moves on by Tab to the button or link of that name and presses it."""
    for _ in range(400):
        page.keyboard.press("Tab")
        label = page.evaluate("document.activeElement?.textContent.trim()")
        if label and label.startswith(name):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"No way by Tab to {name}")


def test_from_empty_to_signed_off_by_keyboard_alone(
    browser: Browser, live_server: Any, mei: User, daniel: User
) -> None:
    page = open_page(browser, live_server, mei, reverse("assessment-list"))
    press_on(page, "Begin")
    expect(page.locator("#sentence")).to_contain_text("0 of 32 statements are answered")
    for number, category in enumerate(load_shipped_model().categories):
        expect(
            page.get_by_role("heading", level=2, name=category.title, exact=True)
        ).to_be_visible()
        page.wait_for_load_state("load")
        statements = load_shipped_model().get_statements(category.id)
        for position, statement in enumerate(statements):
            if position == 0:
                # From the top of the page by Tab until the first statement's answers.
                for _ in range(200):
                    page.keyboard.press("Tab")
                    if page.evaluate("document.activeElement?.type") == "radio":
                        break
            else:
                find(page, statement.id).locator("input[type=radio]").first.focus()
            page.keyboard.press("Space")
            page.keyboard.press("ArrowDown")
            expect(find(page, statement.id).get_by_role("status")).to_contain_text("Saved")
        if number < 3:
            press_on(page, "Next: ")
    expect(page.locator("#next-open")).to_contain_text("Nothing is open")
    assert Answer.objects.count() == 32
    page.locator("#main").focus()
    press_on(page, "Submit for review")
    expect(page.locator("#sentence")).to_contain_text("Waiting for somebody else to agree")
    page.context.close()

    page = open_page(browser, live_server, daniel, address("people"))
    press_on(page, "Agree and freeze")
    expect(page.locator("#sentence")).to_contain_text("The result stays as it was agreed")
    assert Assessment.objects.get().state == "agreed"
    assert violations(page) == []
    page.context.close()


def test_two_who_disagree_answer_alone_discuss_and_agree(
    browser: Browser, live_server: Any, mei: User, daniel: User
) -> None:
    started = start_assessment(make_team("shipping"), person=mei, at=timezone.now())
    begin_alone(started.pk, person=mei, at=timezone.now())
    first = open_page(browser, live_server, mei, address())
    answer(first, "F")
    second = open_page(browser, live_server, daniel, address())
    answer(second, "P")
    first.get_by_role("button", name="Hand in my answers").click()
    expect(first.get_by_role("region", name="Answering alone")).to_contain_text("Mei")
    second.reload()
    expect(find(second)).not_to_contain_text("Mei")
    assert violations(second) == []
    second.get_by_role("button", name="Hand in my answers").click()
    second.goto(f"{live_server.url}{address()}")
    expect(find(second)).to_contain_text("Discuss: far apart")
    expect(find(second)).to_contain_text("Mei")

    first.get_by_role("button", name="Open the discussion").click()
    first.goto(f"{live_server.url}{address()}")
    expect(find(first)).to_contain_text("Daniel")
    answer(first, "L")
    first.reload()
    expect(first.get_by_role("region", name="To discuss")).to_contain_text("agreed")
    assert Answer.objects.get().value == "L"
    assert OwnAnswer.objects.count() == 2
    assert violations(first) == []
    first.context.close()
    second.context.close()


@pytest.mark.parametrize("dark", ["", "dark"])
def test_on_a_phone_nothing_is_cut_off_and_axe_finds_nothing(
    browser: Browser, live_server: Any, mei: User, dark: str
) -> None:
    team = make_team("shipping")
    make_service("shipment-api", team=team)
    started = start_assessment(team, person=mei, at=timezone.now())
    page = open_page(browser, live_server, mei, address(), "phone", dark)
    answer(page, "L")
    find(page).get_by_text("Add evidence").click()
    find(page).get_by_label("Link").fill("https://handbook.example/built-once")
    find(page).get_by_role("button", name="Keep evidence").click()
    expect(find(page)).to_contain_text("not accepted yet")
    place = ["shipping", started.cycle]
    for path in (
        address(),
        reverse("assessment-what-if", args=place),
        reverse("assessment-difference", args=place),
        reverse("assessment-services", args=place),
        reverse("team-actions", args=["shipping"]),
        reverse("assessment-list"),
    ):
        page.goto(f"{live_server.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"][0], path
        assert violations(page) == [], path
    page.context.close()


def test_a_lost_connection_loses_no_answer(browser: Browser, live_server: Any, mei: User) -> None:
    start_assessment(make_team("shipping"), person=mei, at=timezone.now())
    page = open_page(browser, live_server, mei, address())
    page.context.set_offline(True)
    find(page).locator("input[value=L]").check()
    expect(find(page).get_by_role("status")).to_have_text("Kept in this browser")
    find(page, "process.4.audit-ready").locator("input[value=P]").check()
    expect(page.locator("#kept")).to_contain_text("2 answers are kept in this browser")
    assert not Answer.objects.exists()
    assert violations(page) == []

    page.context.set_offline(False)
    expect(page.locator("#kept")).to_contain_text("All answers are saved")
    kept = dict(Answer.objects.values_list("statement_id", "value"))
    assert kept == {STATEMENT: "L", "process.4.audit-ready": "P"}
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('answers'))") == []
    page.context.close()


def test_answers_kept_over_a_closed_page_are_sent_when_it_opens_again(
    browser: Browser, live_server: Any, mei: User
) -> None:
    start_assessment(make_team("shipping"), person=mei, at=timezone.now())
    page = open_page(browser, live_server, mei, address())
    page.route(
        "**/assessments/**",
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )
    find(page).locator("input[value=F]").check()
    expect(find(page).get_by_role("status")).to_have_text("Kept in this browser")
    page.unroute("**/assessments/**")
    page.goto(f"{live_server.url}{address()}")
    expect(page.locator("#kept")).to_contain_text("All answers are saved")
    expect(find(page).locator("input[value=F]")).to_be_checked()
    assert Answer.objects.get().value == "F"
    page.context.close()


def test_an_answer_given_after_the_session_ended_is_kept_until_one_signs_in(
    browser: Browser, live_server: Any, mei: User
) -> None:
    start_assessment(make_team("shipping"), person=mei, at=timezone.now())
    page = open_page(browser, live_server, mei, address())
    page.context.clear_cookies()
    find(page).locator("input[value=L]").check()
    expect(page.locator("#kept")).to_contain_text("You are signed out")
    expect(find(page).get_by_role("status")).to_have_text("Kept in this browser")
    assert not Answer.objects.exists()

    client = Client()
    client.force_login(mei)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}{address()}")
    expect(page.locator("#kept")).to_contain_text("All answers are saved")
    assert Answer.objects.get().value == "L"
    page.context.close()


def test_ticking_a_fix_shows_its_levels_and_makes_an_action(
    browser: Browser, live_server: Any, mei: User
) -> None:
    started = start_assessment(make_team("shipping"), person=mei, at=timezone.now())
    path = reverse("assessment-what-if", args=["shipping", started.cycle])
    page = open_page(browser, live_server, mei, path)
    page.locator(f"input[value='{STATEMENT}']").check()
    expect(page.locator("#supposed")).to_contain_text("With 1 done the overall level stays 1")
    page.get_by_role("link", name="Make it an action").click()
    page.get_by_label("What is done").fill("Promote by digest")
    page.get_by_label("Until").fill("2099-01-31")
    page.get_by_role("button", name="Open the action").click()
    expect(page.get_by_role("heading", name="Promote by digest")).to_be_visible()
    assert Improvement.objects.get().statement_id == STATEMENT
    assert violations(page) == []
    page.context.close()
