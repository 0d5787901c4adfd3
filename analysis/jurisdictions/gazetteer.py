"""Every government that a name can mean: states, counties, incorporated places, governing subdivisions.

Built from the Census tables of one vintage. One government under several codes is linked: a city that is
also a county-equivalent, a consolidated city and county, a city that stands in for a county subdivision.
Census designated places are no governments; they are kept apart, to say why a name has no answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import pandas as pd

from analysis.jurisdictions import corrections
from analysis.jurisdictions.normalise import key, normalise
from analysis.provenance import read_param, root
from analysis.sources import acs, geography
from analysis.sources.reading import check_columns
from analysis.sources.states import ABBREVIATION, STATES, TERRITORIES

PLACES_SINCE_2022 = "2019-2023"  # the vintage of place figures that knows places incorporated since 2022
NAMED = ("NAME_OFFICIAL", "CLASSFP")
CONSOLIDATED = re.compile(
    r"^(.+?)(?: (?:metro|metropolitan|unified|consolidated) government| urban county)?( \(balance\))?$", re.I
)
PLACE_KIND = re.compile(r"^(.+?) (city and borough|city|town|village|borough|municipality|corporation)$")
SUBDIVISION_KIND = re.compile(
    r"^(Charter Township|Township|Town|City|Borough|Village|Plantation|Municipality) of (.+)$"
)
COUNTY_SUFFIX = re.compile(
    r" (County|Parish|Borough|Census Area|Municipality|City and Borough|Planning Region|city)$"
)
COUNTY_KIND = {"borough": "borough", "municipality": "municipality", "independent city": "city"}
COUNTY_KIND |= {"city-county (no suffix)": "city", "district": "district"}


@dataclass(frozen=True)
class Government:
    """One government under one code.

    `unit` is state, county, place or cousub; `kind` the legal kind (county, city, township ...); `names`
    every name of it without the kind word, the first being the official one; `counties` the codes of the
    counties it lies in; `also` its other codes; `county_code` and `place_code` its code at those levels.
    """

    geoid: str
    unit: str
    state: str
    name: str
    kind: str
    names: tuple[str, ...]
    counties: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    county_code: str | None = None
    place_code: str | None = None
    aliases: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Gazetteer:
    """Governments by code, by (state, key) and by state; designated places by (state, key).

    `pools` holds what `fuzzy` derives of a state and level when it first needs it.
    """

    by_geoid: dict[str, Government]
    by_key: dict[tuple[str, str], tuple[tuple[Government, bool], ...]]
    designated: dict[tuple[str, str], str]
    by_state: dict[str, tuple[Government, ...]] = field(default_factory=dict)
    pools: dict[tuple[str, str], tuple] = field(default_factory=dict)

    def find(self, state: str | None, name_key: str) -> tuple[tuple[Government, bool], ...]:
        """The governments of a state that bear a name, each with whether the name is an alias."""
        return self.by_key.get((state, name_key), ()) if name_key else ()

    def county(self, state: str | None, name_key: str) -> Government | None:
        """The one county or equivalent of that name without its kind word; a true county before a city, and
        another name of a county (Dade) where none is so called."""
        called = [(g, alias) for g, alias in self.find(state, name_key) if g.unit == "county"]
        found = [g for g, alias in called if not alias] or [g for g, _ in called]
        found = [g for g in found if g.kind != "city"] or found
        if not found:  # "Athens-Clarke County" is the name of Clarke County's government
            whole = [g for g, alias in self.find(state, name_key) if g.county_code and not alias]
            found = [self.by_geoid[g.county_code] for g in whole if g.kind == "consolidated"]
        return found[0] if len(found) == 1 else None

    def counties_called(self, name_key: str) -> list[Government]:
        """Every true county of that name, in whatever state."""
        found = [self.county(state, name_key) for state in STATES]
        return [g for g in found if g is not None and g.kind != "city"]

    def under(self, government: Government, heading: str) -> Government:
        """The same government under the code of its heading's level; DC is always the city."""
        if government.state == "DC":
            return self.by_geoid.get("1150000", government)
        code = {"county": government.county_code, "place": government.place_code}.get(heading)
        return self.by_geoid[code] if code else government


def gazetteer() -> Gazetteer:
    """The gazetteer of the vintage in `params.yaml`, built once a process.

    Raises
    ------
    DataError : a source or a table of hand decisions breaks a rule.
    """
    return _built(root())


@lru_cache(maxsize=2)
def _built(folder: Path) -> Gazetteer:
    vintage = read_param("vintages")["geography"]
    counties = geography.read_counties(vintage)
    places = geography.read_places(vintage)
    subdivisions = geography.read_subdivisions(vintage)
    newer = acs.read(PLACES_SINCE_2022, "place")
    check_columns(newer.columns, NAMED, f"data/raw/acs/{PLACES_SINCE_2022}/place.csv")
    newer = newer[list(NAMED)]
    return build(
        counties,
        places,
        subdivisions,
        newer[~newer.index.isin(places["PLACE_GEOID"])],
        corrections.read("consolidated_governments"),
        corrections.read("aliases"),
    )


def frame() -> pd.DataFrame:
    """Every government as a table: index `geoid`; `unit, state, name, kind, county_geoids, also_geoids`."""
    rows = [
        (g.geoid, g.unit, g.state, g.name, g.kind, ";".join(g.counties), ";".join(g.also))
        for g in gazetteer().by_geoid.values()
    ]
    columns = ["geoid", "unit", "state", "name", "kind", "county_geoids", "also_geoids"]
    return pd.DataFrame(rows, columns=columns).set_index("geoid").sort_index()


def build(
    counties: pd.DataFrame,
    places: pd.DataFrame,
    subdivisions: pd.DataFrame,
    newer: pd.DataFrame,
    consolidated: pd.DataFrame,
    aliases: pd.DataFrame,
) -> Gazetteer:
    """The gazetteer from the frames of `analysis.sources` and the tables of `data/corrections/`."""
    known = {g.geoid: g for g in [*state_rows(), *county_rows(counties)]}
    incorporated, designated = place_rows(places, newer, set(consolidated["value"]))
    known |= {g.geoid: g for g in incorporated}
    known |= {g.geoid: g for g in subdivision_rows(subdivisions)}
    known = link_subdivisions(known)
    known = link_consolidated(known, counties, consolidated)
    known = add_aliases(known, aliases)
    by_state = defaultdict(list)
    for g in known.values():
        by_state[g.state].append(g)
    return Gazetteer(known, by_key(known.values()), designated, {s: tuple(gs) for s, gs in by_state.items()})


def state_rows() -> Iterable[Government]:
    """The 50 states, DC and the territories."""
    for state, (code, name) in {**STATES, **TERRITORIES}.items():
        yield Government(code, "state", state, name, "state", (name, f"State of {name}"))


def county_rows(counties: pd.DataFrame) -> Iterable[Government]:
    """Counties and equivalents, Connecticut's eight old ones among them."""
    for row in counties.itertuples():
        kind = COUNTY_KIND.get(row.LSAD_TYPE, "county")
        base = COUNTY_SUFFIX.sub("", row.NAME) if row.LSAD_TYPE != "city-county (no suffix)" else row.NAME
        yield Government(row.Index, "county", row.USPS, row.NAME, kind, (base,), (row.Index,))


def place_rows(
    places: pd.DataFrame, newer: pd.DataFrame, kept: set[str]
) -> tuple[list[Government], dict[tuple[str, str], str]]:
    """Incorporated places, and the names of designated ones.

    A place without a FIPS class is taken where its name ends in "(balance)", where the code is in `kept`
    (a consolidated government), or where it is MA's "X Town city"; the others were dissolved.
    """
    labels, counties = {}, defaultdict(set)
    current = places.loc[~places["is_legacy"]]
    columns = ["PLACE_GEOID", "PLACE_NAME_GEOCORR", "PLACE_NAME", "CLASSFP", "COUNTY_GEOID"]
    for geoid, *texts, county in current[columns].itertuples(index=False, name=None):
        labels[geoid] = [max(pair) for pair in zip(labels.get(geoid, texts), texts, strict=True)]
        counties[geoid].add(county)
    found, designated = [], {}
    for geoid, (label, legal, classfp) in labels.items():
        state = ABBREVIATION.get(geoid[:2])
        name = re.sub(r", [A-Z]{2}$", "", label) or _legal_to_label(legal)
        if state is None or not name or name.isdigit():
            continue
        if classfp[:1] in {"U", "M"} or name.endswith(" CDP"):
            designated[state, key(re.sub(r" (CDP|Census Designated Place)$", "", name))] = name
        elif classfp or name.endswith(("(balance)", " Town city")) or geoid in kept:
            found.append(_place(geoid, state, name, tuple(sorted(counties[geoid])), legal))
    for geoid, name, classfp in newer.itertuples(name=None):
        if not name.endswith(" CDP") and classfp[:1] not in {"U", "M"}:
            found.append(_place(geoid, ABBREVIATION[geoid[:2]], name, (), ""))
    return found, designated


def _place(geoid: str, state: str, name: str, counties: tuple[str, ...], legal: str) -> Government:
    """One place from its official name, such as "San Buenaventura (Ventura) city"."""
    base, also_called, kind = split_place_name(name)
    legal_base = re.sub(r"^.+? of ", "", legal) if " of " in legal else ""
    if "'" in legal_base and key(legal_base) == key(base):  # one source drops every apostrophe: OFallon
        name, base = name.replace(base, legal_base), legal_base
    names = tuple(dict.fromkeys([base, *([legal_base] if legal_base else [])]))
    return Government(geoid, "place", state, name, kind, names, counties, aliases=tuple(also_called))


def split_place_name(name: str) -> tuple[str, list[str], str]:
    """The base, the other names inside it, and the kind of an official place name.

    "Athens-Clarke County unified government (balance)" gives Athens-Clarke County, [Athens-Clarke, Athens],
    consolidated; "San Buenaventura (Ventura) city" gives San Buenaventura, [Ventura], city.
    """
    if found := PLACE_KIND.match(name.removesuffix(" (balance)")):
        base, kind = found.groups()
        inner = re.fullmatch(r"(.+?) \((.+)\)", base)
        shorter = [base.removesuffix(" Town")] if base.endswith(" Town") and kind == "city" else []
        return (inner[1], [inner[2]], kind) if inner else (base, shorter, kind)
    if found := re.fullmatch(r"(.+) metro township", name):
        return found[1], [], "metro township"
    base = CONSOLIDATED.match(name)[1]
    if base == name and not base.endswith(" County"):
        return base, [], "city"
    short = base.removesuffix(" County")
    first = re.split(r"[-/,]", short)[0].strip()
    return base, [part for part in dict.fromkeys([short, first]) if part != base], "consolidated"


def _legal_to_label(legal: str) -> str:
    """ "Town of Carbonate" as "Carbonate town"; a designated place's name as it is."""
    found = re.fullmatch(r"(City|Town|Village|Borough) of (.+)", legal)
    return f"{found[2]} {found[1].lower()}" if found else legal


def subdivision_rows(subdivisions: pd.DataFrame) -> Iterable[Government]:
    """Governing county subdivisions; cities that stand in for one are linked to their place later."""
    for row in subdivisions.itertuples():
        found = SUBDIVISION_KIND.match(row.NAME_OFFICIAL)
        kind, base = (found[1].lower().removeprefix("charter "), found[2]) if found else ("city", row[1])
        kind = {"C5": f"C5 {kind}", "T5": f"T5 {kind}"}.get(row.CLASSFP, kind)
        yield Government(
            row.Index,
            "cousub",
            ABBREVIATION[row.Index[:2]],
            row.NAME_OFFICIAL,
            kind,
            (base,),
            (row.COUNTY_GEOID,),
        )


def link_subdivisions(known: dict[str, Government]) -> dict[str, Government]:
    """Cities that stand in for a subdivision (class C5), and Connecticut's and New York's towns that are
    coextensive with a city or village (class T5), become other codes of the place.

    A C5 code ends in the place's five digits; where the Bureau gave another, name and county decide. One
    without a place in this vintage stays a government of its own.
    """
    out = dict(known)
    local = defaultdict(dict)
    for g in known.values():
        if g.unit == "place":
            for name in (*g.names, *g.aliases):
                local[g.state, key(name)][g.geoid] = g
    codes, called = defaultdict(list), {}
    for g in known.values():
        marked, kind = (g.kind[:2], g.kind[3:]) if g.kind[:2] in {"C5", "T5"} else ("", g.kind)
        if not marked:
            continue
        place = known.get(g.geoid[:2] + g.geoid[5:]) if marked == "C5" else None
        if place is None and (marked == "C5" or g.state in {"CT", "NY"}):
            same = [p for p in local[g.state, key(g.names[0])].values() if g.counties[0] in p.counties]
            place = same[0] if len(same) == 1 else None
        if place is None:
            out[g.geoid] = replace(g, kind=kind)
        else:
            del out[g.geoid]
            codes[place.geoid].append(g.geoid)
            called[place.geoid] = g.names[0]
    for geoid, others in codes.items():
        place = out[geoid]
        names = tuple(dict.fromkeys((*place.names, called[geoid])))
        out[geoid] = replace(place, also=tuple(sorted(others)), names=names)
    return out


def link_consolidated(
    known: dict[str, Government], counties: pd.DataFrame, table: pd.DataFrame
) -> dict[str, Government]:
    """Link a county-equivalent and the place that is the same government, either way.

    From the data where they show it: independent cities (class C7) and consolidated counties (H6) that
    share their name with a place inside, and places whose own name holds their county's ("Macon-Bibb
    County"). The others stand in `consolidated_governments.csv`; a place that is one there with no code of
    its own in this gazetteer leaves the county alone.
    """
    pairs = dict(zip(table["key"], table["value"], strict=True))
    inside = defaultdict(list)
    for g in known.values():
        if g.unit == "place":
            for county in g.counties:
                inside[county].append(g)
    for geoid, classfp in counties["CLASSFP"].items():
        county = known[geoid]
        if geoid in pairs:
            continue
        whole = [p for p in inside[geoid] if classfp in {"C7", "H6"} and p.counties == (geoid,)]
        same = [p for p in whole if key(p.names[0]) == key(county.names[0])]
        same = same or [p for p in inside[geoid] if p.kind == "consolidated" and _holds(p, county)]
        if len(same) == 1:
            pairs[geoid] = same[0].geoid
    out = dict(known)
    for geoid, code in pairs.items():
        if not code or geoid not in out or code not in out:
            continue
        county, place = out[geoid], out[code]
        states = (geoid[:2],) if geoid == "11001" else ()
        both = {"county_code": geoid, "place_code": code}
        out[geoid] = replace(county, also=(code, *states), **both)
        out[code] = replace(
            place, also=(geoid, *states), counties=tuple(sorted({geoid, *place.counties})), **both
        )
        for other in inside[geoid]:  # the former city's own code, which no longer is a government
            if place.kind == "consolidated" and {key(n) for n in other.names} & {
                key(n) for n in place.aliases
            }:
                out.pop(other.geoid, None)
    return out


def _holds(place: Government, county: Government) -> bool:
    """The county's name is a part of the place's: Bibb in Macon-Bibb County."""
    words = f" {normalise(place.names[0])} "
    return f" {normalise(county.names[0])} " in words


def add_aliases(known: dict[str, Government], table: pd.DataFrame) -> dict[str, Government]:
    """The short names of `aliases.csv`; a row whose code is not in the gazetteer goes inert."""
    out = dict(known)
    for row in table.itertuples():
        if row.value in out:
            g = out[row.value]
            out[row.value] = replace(g, aliases=(*g.aliases, row.key))
    return out


def by_key(governments: Iterable[Government]) -> dict:
    """Governments by (state, key of a name), under the bare name and under the name with its kind."""
    found = defaultdict(dict)
    for g in governments:
        official = [g.name] if g.unit != "cousub" else [f"{g.names[0]} {g.kind}"]
        for name in (*g.names, *official, *g.aliases):
            alias = name in g.aliases and name not in g.names
            found[g.state, key(name)].setdefault(g.geoid, (g, alias))
    return {where: tuple(those.values()) for where, those in found.items()}
