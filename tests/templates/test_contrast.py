"""Every pair of colours that text or a control is drawn in is far enough apart (WCAG 2.2 AA)."""

import re
from itertools import product
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "static" / "css"
TOKENS = (CSS / "tokens.css").read_text()
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)", TOKENS
    )
}
COLOURS["on-accent"] = ("#ffffff", "#ffffff")
STATUSES = ("passed", "waiting", "failed", "running", "neutral")
SURFACES = (
    "canvas",
    "surface",
    "surface-sunken",
    "surface-raised",
    "surface-hover",
    "surface-selected",
)
TEXT_PAIRS = [
    *product(("text", "text-muted", "text-faint"), SURFACES),
    *product(("accent",), ("surface", "surface-sunken", "surface-raised", "surface-selected")),
    *((status, f"{status}-tint") for status in STATUSES),
    *product(STATUSES, ("surface", "surface-raised")),
    *product(("text", "text-muted"), [f"{status}-tint" for status in STATUSES]),
    ("text-faint", "neutral-tint"),
    ("accent", "passed-tint"),
    *product(("on-accent",), ("accent-solid", "accent-solid-hover", "failed-solid")),
    *product(("on-heat-low",), ("heat-1", "heat-2", "heat-3")),
    *product(("on-heat-high",), ("heat-4", "heat-5")),
    *product(("chart-text",), ("surface", "surface-raised")),
]
CONTROL_PAIRS = [
    *product(("line-control", "focus"), ("canvas", "surface", "surface-raised")),
    *product([f"chart-{number}" for number in range(1, 5)], ("surface", "surface-raised")),
]


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_is_the_largest_contrast_there_is() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_reaches_the_contrast_of_four_and_a_half(theme: str) -> None:
    assert too_close(TEXT_PAIRS, theme, 4.5) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_controls_and_marks_reach_the_contrast_of_three(theme: str) -> None:
    assert too_close(CONTROL_PAIRS, theme, 3) == []


def too_close(pairs: list[tuple[str, str]], theme: str, least: float) -> list[str]:
    index = ("light", "dark").index(theme)
    return [
        f"{front} on {back}: {value:.2f}"
        for front, back in pairs
        if (value := contrast(COLOURS[front][index], COLOURS[back][index])) < least
    ]


def test_raw_colours_stand_in_the_tokens_alone() -> None:
    rules = (CSS / "base.css").read_text()
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s,)])|rgba?\(", rules) == []


def test_every_token_that_is_used_is_defined() -> None:
    rules = (CSS / "base.css").read_text()
    defined = set(re.findall(r"(--[\w-]+):", TOKENS + rules)) | set(
        re.findall(r"@property (--[\w-]+)", TOKENS)
    )
    assert set(re.findall(r"var\((--[\w-]+)", rules)) - defined == set()
