"""Census geography: counties, governing county subdivisions, places and their counties, neighbours."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd

from analysis.errors import DataError
from analysis.provenance import raw_file
from analysis.sources.reading import RESTORE, numbers, read_table
from analysis.sources.states import ABBREVIATION, STATES

COUNTY_FIGURES = ("ALAND_SQKM", "AWATER_SQKM", "INTPTLAT", "INTPTLON", "RUCC_2023")


def read(vintage: str, level: str = "county") -> pd.DataFrame:
    """Land and water area (square kilometres), internal point (degrees), rural-urban code.

    Parameters
    ----------
    vintage : a folder of `data/raw/geography/`.
    level : "county" (3,144 rows, Connecticut's nine planning regions) or "state" (51 rows, areas summed).

    Returns
    -------
    DataFrame, index `geoid` (text). At county level also `NAME`, `USPS`, `STATE_NAME`, `LSAD_TYPE`.
    """
    counties = read_counties(vintage)
    current = counties[counties["GEOGRAPHY"] != "legacy"]
    if level == "county":
        return current
    return current.groupby(current.index.str[:2])[["ALAND_SQKM", "AWATER_SQKM"]].sum().rename_axis("geoid")


def read_counties(vintage: str) -> pd.DataFrame:
    """Current counties and, marked `legacy` in `GEOGRAPHY`, Connecticut's eight old ones; index `geoid`."""
    name = "county_geography.csv"
    frame = read_table(
        "geography",
        vintage,
        name,
        required=[
            "GEOID",
            "NAME",
            "USPS",
            "STATE_NAME",
            "LSAD_TYPE",
            "CLASSFP",
            "GEOGRAPHY",
            *COUNTY_FIGURES,
        ],
        key=["GEOID"],
        codes={"GEOID": 5},
        states="USPS",
    )
    figures = numbers(frame, COUNTY_FIGURES, raw_file("geography", vintage, name).path)
    return frame.assign(**figures).rename(columns={"GEOID": "geoid"}).set_index("geoid").sort_index()


def read_subdivisions(vintage: str) -> pd.DataFrame:
    """Governing towns, townships, and cities that stand in for one; index `geoid` (ten digits).

    Population is ACS 2019-2023 (`B01003_001E`), area in square kilometres. Classes T1, T5, C5 only.
    """
    name = "county_subdivisions.csv"
    figures = ["B01003_001E", "ALAND_SQKM", "INTPTLAT", "INTPTLON"]
    frame = read_table(
        "geography",
        vintage,
        name,
        required=["GEOID", "NAME_OFFICIAL", "COUNTY_GEOID", "CLASSFP", *figures],
        key=["GEOID"],
        codes={"GEOID": 10, "COUNTY_GEOID": 5},
    )
    values = numbers(frame, figures, raw_file("geography", vintage, name).path)
    return frame.assign(**values).rename(columns={"GEOID": "geoid"}).set_index("geoid").sort_index()


def read_places(vintage: str) -> pd.DataFrame:
    """Pairs of a place and a county that it lies in, with the share of the place's 2020 population.

    Returns
    -------
    DataFrame of `PLACE_GEOID` (7 digits), `PLACE_NAME`, `PLACE_NAME_GEOCORR`, `CLASSFP`, `COUNTY_GEOID`
    (5), `SHARE_OF_PLACE_POP` (0 to 1, may be missing), `SOURCE`, `is_legacy` (a second row on one of
    Connecticut's old counties).
    """
    name = "place_county.csv"
    frame = read_table(
        "geography",
        vintage,
        name,
        required=["PLACE_GEOID", "PLACE_NAME", "PLACE_NAME_GEOCORR", "CLASSFP", "COUNTY_GEOID", "SOURCE"],
        key=["PLACE_GEOID", "COUNTY_GEOID", "SOURCE"],
        codes={"PLACE_GEOID": 7, "COUNTY_GEOID": 5},
    )
    share = numbers(frame, ["SHARE_OF_PLACE_POP"], raw_file("geography", vintage, name).path)
    return frame.assign(**share, is_legacy=frame["SOURCE"].str.contains("legacy CT")).reset_index(drop=True)


def read_adjacency(vintage: str) -> pd.DataFrame:
    """Directed pairs of neighbouring counties, `GEOID` and `NEIGHBOR_GEOID`, with their two sources."""
    return read_table(
        "geography",
        vintage,
        "county_adjacency.csv",
        required=["GEOID", "NEIGHBOR_GEOID", "IN_CENSUS_2010_LIST", "SHARES_BORDER_2023_TOPOJSON"],
        key=["GEOID", "NEIGHBOR_GEOID", "GEOGRAPHY"],
        codes={"GEOID": 5, "NEIGHBOR_GEOID": 5},
    )


def read_boundaries(vintage: str) -> dict:
    """The TopoJSON topology of counties and states, in the plane of the Albers projection with insets.

    Raises
    ------
    DataError : not JSON, without the two layers, or with a shape or an arc that cannot be drawn.
    """
    recorded = raw_file("boundaries", vintage, "counties-albers-10m.json")
    try:
        topology = json.loads(recorded.content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON ({error}).", file=recorded.path, remedy=RESTORE) from error
    layers = topology.get("objects") if isinstance(topology, dict) else None
    if not isinstance(layers, dict) or not {"counties", "states"} <= set(layers):
        raise DataError("no layers counties and states.", file=recorded.path, remedy=RESTORE)
    for fault in faults_of(topology):
        raise DataError(fault, file=recorded.path, remedy=RESTORE)
    recorded.verify()
    return topology


def faults_of(topology: dict) -> Iterator[str]:
    """What of a topology cannot be drawn: its transform, its arcs, the shapes of its two layers."""
    transform = topology.get("transform", {"scale": [1, 1], "translate": [0, 0]})
    if not isinstance(transform, dict) or not all(
        is_point(transform.get(key)) for key in ("scale", "translate")
    ):
        yield "its transform is no scale and translate of two numbers."
    arcs = topology.get("arcs")
    for arc in arcs if isinstance(arcs, list) and arcs else [None]:
        if not isinstance(arc, list) or len(arc) < 2 or not all(is_point(point) for point in arc):
            yield "an arc is no list of points."
            return
    for layer in ("counties", "states"):
        shapes = topology["objects"][layer]
        shapes = shapes.get("geometries") if isinstance(shapes, dict) else None
        for shape in shapes if isinstance(shapes, list) and shapes else [None]:
            if not is_shape(shape, len(arcs)):
                yield f"a shape of {layer} has no id, is no polygon, or names an arc that is not there."
                return


def is_point(value: object) -> bool:
    """Whether a value is two finite numbers."""
    return isinstance(value, list) and len(value) == 2 and all(is_figure(each) for each in value)


def is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def is_shape(value: object, arcs: int) -> bool:
    """Whether a value is a shape with an id, of polygons whose rings are indices of arcs, or an empty one."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str | int):
        return False
    if value.get("type") not in ("Polygon", "MultiPolygon"):
        return value.get("type") is None
    inner = value.get("arcs")
    polygons = [inner] if value["type"] == "Polygon" else inner
    if not isinstance(polygons, list) or not all(isinstance(polygon, list) for polygon in polygons):
        return False
    rings = [ring for polygon in polygons for ring in polygon]
    return all(
        isinstance(ring, list) and ring and all(type(i) is int and -arcs <= i < arcs for i in ring)
        for ring in rings
    )


def state_table() -> pd.DataFrame:
    """The 50 states and DC: index `geoid` (two digits), `name`, `state` (postal abbreviation)."""
    rows = [(code, name, ABBREVIATION[code]) for code, name in STATES.values()]
    return pd.DataFrame(rows, columns=["geoid", "name", "state"]).set_index("geoid").sort_index()
