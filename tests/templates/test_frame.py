"""The frame around every page, the sign-in page, and the pages shown when something goes wrong."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.template.loader import render_to_string

TEMPLATES = Path(__file__).parents[2] / "templates"
INES = SimpleNamespace(
    is_authenticated=True, is_staff=False, get_full_name=lambda: "Ines Halvorsen"
)


def headings(html: str) -> list[str]:
    return re.findall(r"<h1[^>]*>(.*?)</h1>", html)


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_an_error_page_needs_no_context_and_has_one_heading(name: str) -> None:
    html = render_to_string(f"{name}.html")
    assert len(headings(html)) == 1
    assert 'href="/"' in html


def test_a_refusal_repeats_its_reason_escaped() -> None:
    html = render_to_string("403.html", {"exception": "Auditors <may> see Billing."})
    assert "Auditors &lt;may&gt; see Billing." in html


def test_the_frame_offers_navigation_only_to_somebody_signed_in() -> None:
    assert 'class="nav-foot"' not in render_to_string("base.html")
    html = render_to_string("base.html", {"user": INES, "inbox_count": 3})
    assert "Ines Halvorsen" in html
    assert 'class="tabbar"' in html
    assert html.index('class="skip"') < html.index('class="nav"')


def test_messages_become_toasts_whose_status_is_that_of_the_message() -> None:
    messages = [
        Message(constants.SUCCESS, "Approval recorded."),
        Message(constants.ERROR, "Not saved."),
    ]
    html = render_to_string("_parts/_toasts.html", {"messages": messages})
    assert re.search(r'data-status="passed">.*?Approval recorded\.', html, re.DOTALL)
    assert re.search(r'data-status="failed">.*?Not saved\.', html, re.DOTALL)
    assert 'role="status"' in html


def test_signing_in_shows_demonstration_logins_only_when_they_are_given() -> None:
    plain = render_to_string("registration/login.html", {"next": "/inbox/"})
    assert headings(plain) == ["Sign in"]
    assert "demonstration" not in plain
    assert 'name="next" value="/inbox/"' in plain
    logins = [{"name": "Mei Tanaka", "username": "mei", "password": "x", "role": "Auditor"}]
    html = render_to_string("registration/login.html", {"demo_logins": logins})
    assert 'aria-label="Sign in as Mei Tanaka"' in html


def test_a_refused_sign_in_says_so_beside_the_fields_and_keeps_the_name() -> None:
    form = SimpleNamespace(errors=True, username=SimpleNamespace(value="mei"))
    html = render_to_string("registration/login.html", {"form": form})
    assert 'role="alert"' in html
    assert html.count('aria-describedby="login-error"') == 2
    assert 'value="mei"' in html


def chart(**changes: Any) -> dict[str, Any]:
    made = {
        "slug": "automation",
        "title": "Automation grows",
        "subtitle": "Percent per week, n = 473",
        "sentence": "Automation rose from 78 to 87 percent.",
        "figure": {"data": [{"name": "</script><b>"}], "layout": {}},
        "columns": ["Week", "Automated"],
        "rows": [("24 Aug", "78 %"), ("31 Aug", None)],
    }
    return {"chart": made | changes}


def test_a_chart_speaks_its_sentence_and_has_a_twin_as_a_table() -> None:
    html = render_to_string("_parts/_chart.html", chart())
    assert 'role="img" aria-label="Automation rose from 78 to 87 percent."' in html
    assert 'data-chart-source="automation-figure"' in html
    assert '<script id="automation-figure" type="application/json">' in html
    assert "</script><b>" not in html
    assert '<td class="num">78 %</td>' in html
    assert '<td class="num">none</td>' in html


def test_a_chart_may_be_fetched_from_its_own_address() -> None:
    html = render_to_string("_parts/_chart.html", chart(figure=None, url="/measures/x.json"))
    assert 'data-chart-url="/measures/x.json"' in html
    assert "<script" not in html


def test_a_list_that_fits_on_one_page_has_no_pagination() -> None:
    assert render_to_string("_parts/_pagination.html").strip() == ""
    html = render_to_string("_parts/_pagination.html", {"next_url": "?cursor=b"})
    assert 'rel="next"' in html
    assert 'rel="prev"' not in html


def test_templates_hold_no_inline_style_and_no_inline_handler() -> None:
    found = [
        f"{file.relative_to(TEMPLATES)}: {hit}"
        for file in TEMPLATES.rglob("*.html")
        for hit in re.findall(
            r"\s(?:style|on[a-z]+)\s*=(?!=)|<style|<script(?! src=)", file.read_text()
        )
    ]
    assert found == []
