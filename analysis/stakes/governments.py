"""Who is listed: every government that a list names, once, under whatever headings it was printed."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

CODE_LEVEL = {2: "state", 5: "county", 7: "place", 10: "place"}
ROLE_FLAGS = {"plaintiff": "plaintiff", "removed": "removed_from_list"}
COLUMNS = ["geoid", "unit", "name", "state", "codes", "county", "flags", "population"]


def governments(entries: pd.DataFrame, capitals: Iterable[str], population: pd.Series) -> pd.DataFrame:
    """One row a government with a settled entry on any list.

    Two entries are one government where they have the same codes: San Francisco stands under County and under
    Cities. Its `geoid` is the shorter of the codes that it was printed under, so the county's.

    Parameters
    ----------
    entries : the ledger of the lists: `vintage, state_abbr, name, geoid, unit, also_geoids, needs_review`.
    capitals : codes of the states' capitals and of the counties that hold them.
    population : residents by code of state, county and place.

    Returns
    -------
    DataFrame sorted by `geoid`: `geoid, unit, name, state`; `codes` (every code of the government, a
    tuple); `county` (its county code, "" where it is no county); `flags` (a tuple); `population`, missing
    where the panel has none.
    """
    settled = entries[~entries["needs_review"] & (entries["geoid"] != "")]
    capitals = set(capitals)
    rows = []
    for codes, group in settled.groupby(settled.apply(codes_of, axis=1), sort=True):
        geoid = min(group["geoid"], key=lambda code: (len(code), code))
        own = group[group["geoid"] == geoid].sort_values("vintage").iloc[-1]
        residents = population.get(geoid)
        rows.append(
            {
                "geoid": geoid,
                "unit": own["unit"],
                "name": own["name"],
                "state": own["state_abbr"],
                "codes": codes,
                "county": next((code for code in codes if len(code) == 5), ""),
                "flags": flags(codes, geoid, group["vintage"], capitals),
                "population": residents if residents is not None and residents > 0 else float("nan"),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS).sort_values("geoid", ignore_index=True)


def codes_of(entry: pd.Series) -> tuple[str, ...]:
    """Every code of an entry's government, ascending."""
    return tuple(sorted({code for code in (entry["geoid"], *entry["also_geoids"].split(";")) if code}))


def flags(codes: tuple[str, ...], geoid: str, vintages: pd.Series, capitals: set[str]) -> tuple[str, ...]:
    """The flags that a government has in every row; `analysis.stakes.definitions` says what they mean."""
    found = [f"listed_{vintage.replace('-', '_')}" for vintage in sorted(set(vintages))]
    found += [f"also_{code}" for code in codes if code != geoid]
    if {"county", "place"} <= {CODE_LEVEL[len(code)] for code in codes}:
        found.append("consolidated")
    if vintages.duplicated().any():
        found.append("printed_twice")
    if capitals & set(codes):
        found.append("state_capital")
    return tuple(found)


def capital_codes(matched: pd.DataFrame, holding: pd.Series) -> set[str]:
    """Codes of the capitals and of the county that holds most of each one's residents.

    Parameters
    ----------
    matched : the capitals as `analysis.jurisdictions.match` reads them: `geoid`, `also_geoids`.
    holding : county code by place code.
    """
    settled = matched[matched["geoid"].notna() & ~matched["needs_review"]]
    codes = {
        code
        for row in settled.itertuples()
        for code in (row.geoid, *str(row.also_geoids or "").split(";"))
        if code
    }
    return codes | {holding[code] for code in codes if isinstance(holding.get(code), str)}


def with_roles(listed: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The governments with a flag for each role in a dated event that bears on their funds.

    Parameters
    ----------
    events : `geoid`, `role`, as `analysis.stakes.timeline.timeline` gives them.
    """
    named = {flag: set(events.loc[events["role"] == role, "geoid"]) for role, flag in ROLE_FLAGS.items()}
    added = [
        tuple(flag for flag, codes in named.items() if codes & set(own.codes)) for own in listed.itertuples()
    ]
    return listed.assign(flags=[own + more for own, more in zip(listed["flags"], added, strict=True)])


def lists_by_code(listed: pd.DataFrame, entries: pd.DataFrame) -> pd.Series:
    """The lists that name a government, `;`-joined, by each of its codes."""
    known = {f"listed_{vintage.replace('-', '_')}": vintage for vintage in entries["vintage"].unique()}
    return pd.Series(
        {
            code: ";".join(known[flag] for flag in own.flags if flag in known)
            for own in listed.itertuples()
            for code in own.codes
        },
        dtype="str",
    )


def under_own_codes(named: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """Named governments with the `geoid` and `unit` that `listed` gives to a government of several codes."""
    own = {code: (row.geoid, row.unit) for row in listed.itertuples() for code in row.codes}
    pairs = [own.get(code, (code, unit)) for code, unit in zip(named["geoid"], named["unit"], strict=True)]
    return named.assign(geoid=[code for code, _ in pairs], unit=[unit for _, unit in pairs])
