"""Maps, figures, words and the command line."""

from __future__ import annotations

import doctest
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import __main__ as command_line
from analysis import figures, wording
from analysis.errors import RenderError
from analysis.figures import (
    calibration_figure,
    coefficients_figure,
    intervals_figure,
    listing_by_state_figure,
    marginal_effects_figure,
)
from analysis.maps import decode, listing_map_figure
from analysis.sources.geography import read_boundaries
from analysis.writing import write_csv

# Two squares that share the arc 0; the second takes it backwards. Quantised, so arcs are steps.
TOPOLOGY = {
    "transform": {"scale": [2, 3], "translate": [100, 200]},
    "arcs": [[[1, 0], [0, 1]], [[1, 1], [-1, 0], [0, -1], [1, 0]], [[1, 0], [1, 0], [0, 1], [-1, 0]]],
    "objects": {
        "squares": {
            "geometries": [
                {"type": "Polygon", "id": "01001", "arcs": [[0, 1]]},
                {"type": "MultiPolygon", "id": "01003", "arcs": [[[2, -1]]]},
                {"type": None, "id": "01005"},
            ]
        }
    },
}


def test_a_topology_is_decoded() -> None:
    shapes = decode(TOPOLOGY, "squares")
    assert sorted(shapes) == ["01001", "01003"]
    np.testing.assert_array_equal(
        shapes["01001"][0], [[102, 200], [102, 203], [100, 203], [100, 200], [102, 200]]
    )
    np.testing.assert_array_equal(
        shapes["01003"][0], [[102, 200], [104, 200], [104, 203], [102, 203], [102, 200]]
    )


def test_the_real_boundaries_are_those_of_the_panel() -> None:
    topology = read_boundaries("2023")
    counties = decode(topology, "counties")
    assert len([code for code in counties if code[:2] <= "56"]) == 3144
    closed = [np.array_equal(ring[0], ring[-1]) for rings in counties.values() for ring in rings]
    assert len(closed) > 3144 and all(closed)


def png(figure: object) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


@pytest.mark.fault("F80")
def test_figures_are_drawn_alike_twice(project: Path) -> None:
    codes = ["17031", "17093", "48167"]
    counties = pd.DataFrame(
        {"is_listed": [1, 1, 0], "is_in_listed_state": [1, 1, 0], "state_geoid": ["17", "17", "48"]},
        index=codes,
    )
    by_state = pd.DataFrame(
        {
            "state": ["IL", "TX"],
            "listed": [2, 1],
            "counties": [2, 4],
            "listed_share": [1, 0.25],
            "is_listed_state": [1, 0],
        }
    )
    effects = pd.DataFrame(
        {
            "term": ["population"] * 2,
            "sample": ["a", "b"],
            "estimate": [0.1, -0.2],
            "conf_low": [0, -0.3],
            "conf_high": [0.2, 0],
        }
    )
    curve = effects.rename(columns={"sample": "panel"}).assign(predicted=0.3, observed=[0.1, 0.0])
    coefficients = effects.assign(least=effects["conf_low"], most=effects["conf_high"])
    topology = read_boundaries("2023")
    for draw in (
        lambda: coefficients_figure(coefficients),
        lambda: intervals_figure(effects.assign(panel="p", row=["a", "b"], kind=["one", "two"]), "axis", 0.0),
        lambda: calibration_figure(curve),
        lambda: listing_map_figure(counties, topology),
        lambda: listing_by_state_figure(by_state),
        lambda: marginal_effects_figure(effects),
    ):
        first = png(draw())
        assert first[:4] == b"\x89PNG" and first == png(draw())


def test_a_product_is_labelled_by_its_parts(project: Path) -> None:
    tried = doctest.testmod(figures)
    assert tried.attempted >= 1 and tried.failed == 0


def test_words_say_what_their_examples_say() -> None:
    tried = doctest.testmod(wording)
    assert tried.attempted >= 8 and tried.failed == 0


@pytest.mark.fault("F84")
def test_a_claim_that_the_numbers_do_not_bear_stops_the_page() -> None:
    with pytest.raises(RenderError, match="no longer bear"):
        wording.claim("The state comes first.", False)


def test_checks_on_the_command_line(project: Path, capsys: pytest.CaptureFixture) -> None:
    table = pd.DataFrame(
        [
            ("rows", "panel", "12", "12", "pass"),
            ("range", "x", "1 to 3", "0 to 2", "fail"),
            ("n", "y", "7", "", "info"),
        ],
        columns=["check", "scope", "value", "expected", "status"],
    )
    write_csv(table, project / "data" / "processed" / "checks.csv")
    assert command_line.main(["checks"]) == 1
    printed = capsys.readouterr().out
    assert "1 to 3" in printed and "1 pass, 1 fail, 1 for information" in printed and " 7" not in printed


def test_an_error_is_one_message(project: Path, capsys: pytest.CaptureFixture) -> None:
    assert command_line.main(["checks"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "make repro" in said and "Traceback" not in said
