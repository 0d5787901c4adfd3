"""The stylesheet: contrast in both schemes, print, and that focus is seen."""

from __future__ import annotations

import re

import pytest

from analysis.rendering.convert import HERE

CSS = (HERE / "theme.css").read_text(encoding="utf-8")
TEXT = ("text", "quiet", "link", "visited", "note", "tip", "warning", "important", "caution")
INK = (*TEXT, "code-keyword", "code-text", "code-number", "code-comment")


def colours(scheme: str) -> dict[str, str]:
    """The variables of the first block, those of the dark block over them where that is asked for."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    pairs = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return pairs | (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark)) if scheme == "dark" else {})


def luminance(colour: str) -> float:
    """WCAG's relative luminance of `#rrggbb`."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_of_known_colours():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_edges_have_contrast(scheme):
    values = colours(scheme)
    assert set(INK) <= set(values)
    for ground in ("page", "panel"):
        for ink in INK:
            assert contrast(values[ink], values[ground]) >= 4.5, (ink, ground)
        for line in ("focus", "edge"):
            assert contrast(values[line], values[ground]) >= 3, (line, ground)


def test_every_colour_is_a_variable():
    outside = re.sub(r":root \{.*?\}", "", CSS, flags=re.DOTALL)
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", outside)) <= {"#ffffff"}, "the paper under a picture alone"


def test_print_focus_motion_and_forced_colours():
    for part in ("@media print", ":focus-visible", "prefers-reduced-motion", "forced-colors", "@page"):
        assert part in CSS, part
