"""The look, as far as it can be computed: contrast, fonts, and that nothing comes from elsewhere."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest
from gradio.themes.utils.fonts import font_file_path

from ui.theme import DARK, ICON, LIGHT, STYLES, Palette, Polymuse

PALETTES = {"light": LIGHT, "dark": DARK}
GROUNDS = ("ground", "surface", "sunken", "hover")

TEXT = [  # WCAG 2.2 AA: 4.5 for text
    *[(ink, ground) for ink in ("ink", "muted", "accent_ink", "warm", "bad") for ground in GROUNDS],
    *[(ink, "raised") for ink in ("ink", "muted")],
    *[("faint", ground) for ground in ("ground", "surface", "sunken")],
    *[("blue", ground) for ground in ("surface", "sunken")],
    *[(ink, "accent_soft") for ink in ("ink", "muted", "accent_ink")],
    *[(ink, "bad_soft") for ink in ("ink", "bad")],
    *[("on_accent", fill) for fill in ("accent", "accent_hover")],
]
SHAPES = [  # 3.0 for what must be seen to be used: rings, handles, boxes, bars
    *[(shape, ground) for shape in ("accent_ink", "edge", "accent") for ground in GROUNDS],
    *[("ticked", "surface"), ("accent", "line"), ("warm", "line")],
]


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("mode", PALETTES)
def test_all_text_is_readable(mode: str) -> None:
    assert not _below(PALETTES[mode], TEXT, 4.5)


@pytest.mark.parametrize("mode", PALETTES)
def test_all_controls_are_visible(mode: str) -> None:
    assert not _below(PALETTES[mode], SHAPES, 3.0)
    assert contrast(PALETTES[mode].ticked, "#ffffff") >= 3.0  # gradio's tick


def _below(palette: Palette, pairs: list[tuple[str, str]], least: float) -> dict[str, float]:
    colours = asdict(palette)
    found = {f"{one} on {other}": contrast(colours[one], colours[other]) for one, other in pairs}
    return {pair: round(value, 2) for pair, value in found.items() if value < least}


@pytest.mark.parametrize("sheet", STYLES, ids=lambda sheet: sheet.name)
def test_a_style_sheet_uses_the_palette_and_no_colour_of_its_own(sheet: Path) -> None:
    css = sheet.read_text("utf-8")
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*;)", css)
    used = {name.replace("-", "_") for name in re.findall(r"var\(--pm-([a-z-]+)\)", css)}
    assert used <= set(asdict(LIGHT))


@pytest.mark.parametrize("sheet", STYLES, ids=lambda sheet: sheet.name)
def test_a_style_sheet_is_balanced_and_local(sheet: Path) -> None:
    css = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.S)
    assert css.count("{") == css.count("}")
    assert "url(" not in css
    assert "@import" not in css


def test_who_asks_for_less_motion_gets_it() -> None:
    assert "prefers-reduced-motion: reduce" in STYLES[0].read_text("utf-8")


def test_every_font_is_served_from_here_and_has_latin_letters() -> None:
    """Some of gradio's font files hold one rare subset in a few kilobytes; a whole font has tens."""
    theme_css = Polymuse()._get_theme_css()
    faces = re.findall(r"font-family: '([^']+)';\s*src: url\('([^']+)'\).*?font-weight: (\d+);", theme_css, re.S)
    assert {name for name, _, _ in faces} == {"IBM Plex Sans", "IBM Plex Mono"}
    for name, address, weight in faces:
        assert address.startswith("static/fonts/")
        assert font_file_path(name, int(weight)).stat().st_size > 30_000, (name, weight)


def test_page_style_and_icon_name_no_other_host(client: httpx.Client) -> None:
    served = client.get("/theme.css").text
    assert "--pm-ground:#f6f7f5" in served
    assert ".pm-header" in served
    assert not re.search(r"https?://", served.replace("http://www.w3.org/2000/svg", ""))
    assert not re.search(r'(?:href|src)="https?://', client.get("/").text)
    assert ICON.read_text("utf-8").count("http") == 1  # the namespace
