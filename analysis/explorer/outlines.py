"""The boundaries as the page has them: the same shapes, on a grid as fine as a screen can show."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from analysis.errors import DataError

GRID = 0.12  # of the plane, which is 975 wide: an eighth of a pixel on a wide screen


def on_grid(topology: Mapping, counties: Sequence[str], states: Sequence[str], grid: float = GRID) -> dict:
    """Counties and states of a topology with every point on a coarser grid, and nothing else.

    Points that fall together become one; a boundary keeps its two ends, so that what met still meets.

    Parameters
    ----------
    topology : TopoJSON, quantised or not, with the layers `counties` and `states`.
    counties, states : codes in the page's order. A shape's id is its place in it.

    Raises
    ------
    DataError : a county, or a state of one, without a shape.
    """
    transform = topology.get("transform", {"scale": (1, 1), "translate": (0, 0)})
    scale, translate = (np.array(transform[name], dtype="float64") for name in ("scale", "translate"))
    arcs = [np.cumsum(arc, axis=0) if "transform" in topology else np.array(arc) for arc in topology["arcs"]]
    settled = {code[:2] for code in counties}
    layers = {
        name: shapes(topology["objects"][name]["geometries"], codes, needed)
        for name, codes, needed in (("counties", counties, set(counties)), ("states", states, settled))
    }
    return {
        "type": "Topology",
        "transform": {"scale": [grid, grid], "translate": translate.round(6).tolist()},
        "objects": layers,
        "arcs": [thinned(arc * scale / grid) for arc in arcs],
    }


def thinned(points: np.ndarray) -> list[list[int]]:
    """Points (n, 2) on whole numbers as steps from the one before, without those that stay where they are."""
    whole = np.rint(points).astype(int)
    new = np.r_[True, (np.diff(whole, axis=0) != 0).any(axis=1)]
    kept = whole[new] if new.sum() > 1 else whole[[0, -1]]
    return np.diff(kept, axis=0, prepend=0).tolist()


def shapes(geometries: Sequence[Mapping], codes: Sequence[str], needed: Collection[str]) -> dict:
    """The shapes with these codes as a layer, those that are needed among them."""
    at = {code: position for position, code in enumerate(codes)}
    if absent := sorted(set(needed) - {str(shape["id"]) for shape in geometries}):
        raise DataError(
            f"no boundary of {absent[0]}.",
            file="data/raw/boundaries",
            remedy="use boundaries of the units' year.",
        )
    kept = [(at[str(shape["id"])], shape) for shape in geometries if str(shape["id"]) in at]
    return {
        "type": "GeometryCollection",
        "geometries": [
            {"type": shape["type"], "id": place, "arcs": shape["arcs"]}
            for place, shape in sorted(kept, key=lambda each: each[0])
        ],
    }
