"""The figures' colours: told apart by colour-blind readers and in grey, and seen against the paper."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analysis.figures import BLUE, GREEN, GREY, MARKS, ORANGE
from analysis.maps import FILL, LISTED_STATE_LINE

# Machado, Oliveira and Fernandes (2009), full severity: linear RGB to linear RGB.
BLINDNESS = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = "#FFFFFF"


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB, white of D65."""
    ratio = XYZ @ np.clip(rgb, 0, 1) / (XYZ @ np.ones(3))
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(one: str, other: str, seen: str | None = None) -> float:
    """The CIE 1976 difference of two colours, as such a reader sees them."""
    matrix = np.array(BLINDNESS[seen]) if seen else np.eye(3)
    return float(np.linalg.norm(lab(matrix @ linear(one)) - lab(matrix @ linear(other))))


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((float(XYZ[1] @ linear(colour)) for colour in (one, other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_the_measures_know_a_bad_pair() -> None:
    assert apart("#000000", WHITE) == pytest.approx(100, abs=0.1) and contrast(
        "#000000", WHITE
    ) == pytest.approx(21)
    # A red and a green that a deutan takes for nearly the same.
    assert apart("#D7191C", "#4B8B0A") > 80 and apart("#B04A00", "#6B6B00", "deutan") < 20


@pytest.mark.parametrize("seen", [None, *BLINDNESS])
def test_colours_of_one_figure_are_told_apart(seen: str | None) -> None:
    together = [
        tuple(colour for colour, _ in MARKS[:3]),
        (BLUE, ORANGE),
        (FILL["listed"], FILL["not listed"]),
    ]
    pairs = [pair for colours in together for pair in itertools.combinations(colours, 2)]
    assert len(pairs) == 5
    for one, other in pairs:
        assert apart(one, other, seen) > 20, (one, other)


def test_marks_are_seen_on_the_paper() -> None:
    for colour in (BLUE, ORANGE, GREEN, GREY, LISTED_STATE_LINE, FILL["listed"]):
        assert contrast(colour, WHITE) >= 3, colour
    assert contrast(FILL["listed"], FILL["not listed"]) >= 3, "a map is read by lightness"


def test_colour_never_stands_alone() -> None:
    assert len({shape for _, shape in MARKS}) == len(MARKS)
