"""The governments that a name can mean, each with how it bears the name. Pure.

A government bears a name as its own, as an alias, only as its county's (Indianapolis as Marion), or only with
another kind word beside it ("Town of Richmond"). The last two are never taken in silence: `resolve` decides.
"""

from __future__ import annotations

from analysis.jurisdictions.gazetteer import Gazetteer, Government
from analysis.jurisdictions.normalise import Reading, key, normalise, readings

OWN, ALIAS, COUNTYS, LOOSE = "own", "alias", "its county's", "loose"  # the nearest first
RANK = (OWN, ALIAS, COUNTYS, LOOSE)

CITY_KINDS = {"city", "city and borough", "consolidated", "municipality", "corporation"}
MUNICIPAL_WORDS = {"city", "town", "village", "borough"}
COUNTY_KINDS = {"county", "borough", "municipality", "district"}
# States where cities style themselves Town of, and towns are called cities, and no two share a name.
STYLED_STATES = {"CT", "MA", "RI"}
# What the official names of consolidated governments hold beside the two names.
GOVERNMENT_WORDS = {"unified", "metropolitan", "metro", "consolidated", "government"}
FILLERS = {"urban", "county", "parish", "city", "town", "of", "and", "the"}


def compatible(kind: str, g: Government) -> bool:
    """Whether a kind word may stand beside a government's name."""
    if kind in {"county", "parish"}:
        return g.kind == "consolidated" or (g.unit == "county" and g.kind in COUNTY_KINDS)
    if kind == "city":
        return g.kind in CITY_KINDS and (g.unit != "county" or g.kind == "city")
    if kind == "city and county":
        return g.county_code is not None
    if kind == "township":
        return g.kind in {"township", "metro township"}
    if kind == "borough" and g.state == "AK":  # there a borough is the county's equivalent
        return g.unit == "county" and not g.name.endswith("Census Area")
    return g.kind == kind


def candidates(gaz: Gazetteer, state: str, text: object, heading: str) -> tuple[dict[str, str], bool]:
    """Codes of the governments that a name can mean, each with how it bears it (`RANK`); and whether a kind
    word was needed to find them ("City of Durango", but not "Culver City")."""
    plain = [(g, alias) for g, alias in gaz.find(state, key(text)) if _is_name(g, text)]
    worded = [
        (g, alias)
        for reading in readings(text)[1:]
        for g, alias in gaz.find(state, reading.key)
        if compatible(reading.kind, g) and _called(g, reading)
    ]
    loose = [] if plain or worded else _loosely_worded(gaz, state, text)
    found: dict[str, str] = {}
    for g, alias in [*plain, *worded, *loose]:
        under = gaz.under(g, heading)
        if under.unit != "state":
            bears = LOOSE if loose and not _styled(g, text) else ALIAS if alias else OWN
            bears = COUNTYS if _by_county(gaz, under, key(text)) else bears
            found[under.geoid] = min(bears, found.get(under.geoid, bears), key=RANK.index)
    return found, not plain and bool(worded or loose)


def _by_county(gaz: Gazetteer, g: Government, name_key: str) -> bool:
    """Whether a name is only that of the county whose government a city is: Marion for Indianapolis."""
    if g.unit == "county" or g.county_code is None:
        return False
    county = gaz.by_geoid[g.county_code]
    return name_key == key(county.names[0]) != key(g.names[0])


def _is_name(g: Government, text: object) -> bool:
    """Whether a text is a name, or a place's with its kind as a word apart: Auburntown is no Auburn town."""
    official = g.name if g.unit != "cousub" else f"{g.names[0]} {g.kind}"
    own = key(text) in {key(name) for name in (*g.names, *g.aliases)}
    return own or g.unit in {"state", "county"} or normalise(text) == normalise(official)


def _called(g: Government, reading: Reading) -> bool:
    """Whether a reading's key is a name without a kind word: "City of Webster City" does not mean Webster.

    Beside County, the short name of a consolidated government is none: Macon County is not Macon-Bibb's.
    """
    short = g.unit != "county" and reading.kind in {"county", "parish"}
    return reading.key in {key(name) for name in (g.names if short else (*g.names, *g.aliases))}


def _styled(g: Government, text: object) -> bool:
    """Whether a city may be called Town of here, and a town City of."""
    said = {reading.kind for reading in readings(text)[1:]}
    styled = g.state in STYLED_STATES and " of " in normalise(text)
    return styled and {g.kind, *said} == {"city", "town"}


def _loosely_worded(gaz: Gazetteer, state: str, text: object) -> list[tuple[Government, bool]]:
    """ "Town of Weymouth", which became a city: the one municipality of that name, whatever it calls itself.

    A township is not meant by these words, nor a county; in Alaska a borough is no municipality.
    """
    for reading in readings(text)[1:]:
        if reading.kind in MUNICIPAL_WORDS and (state, reading.kind) != ("AK", "borough"):
            near = [(g, alias) for g, alias in gaz.find(state, reading.key) if g.unit in {"place", "cousub"}]
            near = [(g, alias) for g, alias in near if g.kind != "township"]
            if len(near) == 1:
                return near
    return []


def own_governments(gaz: Gazetteer, state: str, text: object) -> list[Government]:
    """The cities, towns, villages, boroughs and townships of a name, with or without their kind word."""
    return [g for r in readings(text) for g, _ in gaz.find(state, r.key) if g.unit in {"place", "cousub"}]


def joint(gaz: Gazetteer, state: str, text: object, heading: str) -> Government | None:
    """The consolidated government whose official name a text is: the city's name and the county's, in either
    order, or one of them beside a word such as Unified ("Metropolitan Government of Nashville and Davidson
    County", "Louisville Metro")."""
    said = normalise(text).split()
    if not {*said} & (GOVERNMENT_WORDS | {"county", "parish"}) and not any(
        mark in str(text) for mark in "/-"
    ):
        return None
    words = _core(" ".join(said))
    found = set()
    for g in gaz.by_state.get(state, ()):
        if g.unit != "county" or not g.place_code:
            continue
        county = _core(g.names[0])
        place = gaz.by_geoid[g.place_code]
        cities = {_core(name) for name in (*place.names, *place.aliases)} - {county}
        both = {(*a, *b) for city in cities for a, b in ((city, county), (county, city))}
        alone = cities if {*said} & GOVERNMENT_WORDS else set()
        alone |= {county} if "government" in said else set()
        if words and words in both | alone:
            found.add(g)
    return gaz.under(found.pop(), heading) if len(found) == 1 else None


def _core(text: str) -> tuple[str, ...]:
    """The words of a name without those that say what government it is."""
    words = normalise(text).split()
    return tuple(word for word in words if word not in GOVERNMENT_WORDS | FILLERS)


def longer(gaz: Gazetteer, state: str, text: object) -> list[Government]:
    """The counties and equivalents whose names begin with a text and go on: Ketchikan Gateway Borough."""
    return [
        g
        for g in gaz.by_state.get(state, ())
        if g.unit == "county" and any(_begins(g, reading) for reading in readings(text))
    ]


def _begins(g: Government, reading: Reading) -> bool:
    words = normalise(g.names[0]).split()
    kind = reading.kind is None or compatible(reading.kind, g)
    return kind and any("".join(words[:end]) == reading.key for end in range(1, len(words)))
