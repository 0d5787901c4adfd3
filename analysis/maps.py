"""County maps from the Census Bureau's cartographic boundaries (TopoJSON, already projected)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.path import Path

from analysis.figures import BLUE, new_figure
from analysis.panel import load_panel
from analysis.provenance import read_param, root
from analysis.sources.geography import read_boundaries
from analysis.stages import run
from analysis.writing import replacing

Ring = np.ndarray

# Lightness tells listed from not, and an outline tells listed states, so that no one needs the colours.
FILL = {
    "listed": BLUE,
    "not listed": "#E4E4E4",
    "no data": "#FFFFFF",
}
STATE_LINE, LISTED_STATE_LINE = "#FFFFFF", "#111111"


def decode(topology: Mapping, layer: str) -> dict[str, list[Ring]]:
    """The rings of every shape of a layer.

    Parameters
    ----------
    topology : TopoJSON, quantised or not.
    layer : a name among its objects; shapes are polygons or groups of polygons with an `id`.

    Returns
    -------
    dict from `id` to closed rings, each (points, 2) in the topology's plane; outer rings and holes alike.
    """
    transform = topology.get("transform", {"scale": (1, 1), "translate": (0, 0)})
    scale, translate = np.array(transform["scale"]), np.array(transform["translate"])
    quantised = "transform" in topology
    arcs = [
        (np.cumsum(points, axis=0) if quantised else np.array(points)) * scale + translate
        for points in topology["arcs"]
    ]

    def ring(indices: list[int]) -> Ring:
        parts = [arcs[index] if index >= 0 else arcs[~index][::-1] for index in indices]
        return np.concatenate([parts[0], *[part[1:] for part in parts[1:]]])

    shapes: dict[str, list[Ring]] = {}
    for geometry in topology["objects"][layer]["geometries"]:
        polygons = {"Polygon": [geometry.get("arcs")], "MultiPolygon": geometry.get("arcs")}
        for polygon in polygons.get(geometry.get("type")) or []:
            shapes.setdefault(str(geometry["id"]), []).extend(ring(indices) for indices in polygon)
    return shapes


def shape_path(rings: list[Ring]) -> Path:
    """One compound path; holes come out empty because they run the other way round."""
    return Path.make_compound_path(*[Path(ring, closed=True) for ring in rings])


def is_state(code: str) -> bool:
    """Whether a code lies in the 50 states or DC, not in a territory."""
    return code[:2] <= "56"


def draw_counties(axes: Axes, topology: Mapping, fill: pd.Series, outlined: set[str]) -> None:
    """Counties in their fill, states with a white line, the outlined states with a dark one.

    Parameters
    ----------
    fill : colour by county GEOID; a county without one is white.
    outlined : two-digit codes of states.
    """
    counties = {code: rings for code, rings in decode(topology, "counties").items() if is_state(code)}
    colours = [fill.get(code, FILL["no data"]) for code in counties]
    axes.add_collection(
        PathCollection(
            [shape_path(rings) for rings in counties.values()],
            facecolors=colours,
            edgecolors="#FFFFFF",
            linewidths=0.15,
        )
    )
    states = {code: rings for code, rings in decode(topology, "states").items() if is_state(code)}
    for chosen, colour, width in ((False, STATE_LINE, 0.6), (True, LISTED_STATE_LINE, 1.1)):
        lines = [ring for code, rings in states.items() if (code in outlined) == chosen for ring in rings]
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width))
    corners = np.concatenate([ring for rings in counties.values() for ring in rings])
    axes.set(
        xlim=(corners[:, 0].min() - 5, corners[:, 0].max() + 5),
        ylim=(corners[:, 1].max() + 5, corners[:, 1].min() - 5),
        aspect="equal",
    )
    axes.set_axis_off()


def draw_listing(
    axes: Axes,
    topology: Mapping,
    listed: pd.Series,
    outlined: set[str],
    words: tuple[str, str] = ("county listed", "county not listed"),
) -> None:
    """Counties dark where a 0/1 column is 1, with a legend that counts them.

    Parameters
    ----------
    listed : index `geoid` of counties; 1, 0, or missing.
    outlined : two-digit codes of states that get a dark line.
    words : what 1 and 0 are called.
    """
    draw_counties(axes, topology, listed.map({1: FILL["listed"], 0: FILL["not listed"]}).dropna(), outlined)
    missing = int(listed.isna().sum())
    handles = [
        Patch(facecolor=FILL["listed"], label=f"{words[0]} ({int((listed == 1).sum()):,})"),
        Patch(facecolor=FILL["not listed"], label=f"{words[1]} ({int((listed == 0).sum()):,})"),
    ]
    if missing:
        handles.append(Patch(facecolor=FILL["no data"], edgecolor="#CCCCCC", label=f"no data ({missing:,})"))
    if outlined:
        handles.append(
            Patch(facecolor="white", edgecolor=LISTED_STATE_LINE, label=f"state listed ({len(outlined)})")
        )
    axes.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, -0.06),
        ncols=len(handles),
        frameon=False,
    )


def listing_map_figure(counties: pd.DataFrame, topology: Mapping) -> Figure:
    """Which counties are listed, and which states.

    Parameters
    ----------
    counties : index `geoid`; `is_listed`, `is_in_listed_state`, `state_geoid`.
    topology : as `analysis.sources.geography.read_boundaries` gives it.
    """
    figure = new_figure(7.6, 4.9)
    outlined = set(counties.loc[counties["is_in_listed_state"] == 1, "state_geoid"])
    draw_listing(figure.subplots(), topology, counties["is_listed"], outlined)
    return figure


def main() -> None:
    """Stage `figures`: the README's map."""
    vintage = read_param("vintages")["boundaries"]
    figure = listing_map_figure(load_panel("county"), read_boundaries(vintage))
    with replacing(root() / "reports" / "listing_map.png") as beside:
        figure.savefig(beside, format="png", dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    run(main)
