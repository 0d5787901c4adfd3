"""What the page of a jurisdiction tells beside its columns: entries, agencies, money, events, neighbours."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.explorer.columns import rosters
from analysis.explorer.units import key_of_entry
from analysis.jurisdictions.gazetteer import gazetteer
from analysis.ledger import read_jurisdictions
from analysis.models.prediction.improbable import REASONS
from analysis.provenance import read_output, read_param
from analysis.sources import geography
from analysis.wording import count

HEADINGS = {"state": "States", "county": "Counties", "place": "Cities"}
HOW = {
    "exact": "as the government's own name",
    "normalised": "after folding case, accents, apostrophes, Saint and St.",
    "kind_resolved": "by its kind word, or as the only one of its kind",
    "alias": "by another name of the government",
    "fuzzy": "by a near spelling",
    "correction": "by a decision of hand",
    "none": "not at all",
}


def joined(*parts: pd.Series) -> list[str]:
    """Codes of several columns in one text, `;`-joined, without blanks and repetitions."""
    rows = zip(*parts, strict=True)
    return [";".join(dict.fromkeys(code for part in row for code in part.split(";") if code)) for row in rows]


def entries() -> pd.DataFrame:
    """Every entry of every list: `codes` (of the pages that show it), what was printed, the verdict."""
    ledger = read_jurisdictions()
    names = zip(ledger["state_abbr"], ledger["text_as_published"], strict=True)
    open_ = ledger["needs_review"] | (ledger["geoid"] == "")
    own = pd.Series([key_of_entry(*pair) for pair in names]).where(open_.to_numpy(), "")
    return pd.DataFrame(
        {
            "codes": joined(ledger["geoid"], ledger["also_geoids"], own),
            "vintage": ledger["vintage"],
            "place_on_page": ledger["page_order"],
            "state": ledger["state_abbr"],
            "heading": ledger["level"].map(HEADINGS),
            "text": ledger["text_as_published"],
            "read_as": ledger["name"],
            "geoid": ledger["geoid"],
            "how": ledger["match_type"].map(HOW),
            "review": ledger["needs_review"].map({True: "in review", False: ""}),
            "note": ledger["note"],
            "basis": ledger["basis"],
            "source": ledger["source_url"],
        }
    ).reset_index(drop=True)


def oddities() -> pd.DataFrame:
    """Oddities of entries, and what somebody wrote of them: `codes, kind, evidence, lists`."""
    audit = read_output("entry_audit.csv", as_text=True)
    audit = audit[audit["kind"] != "name in several states"]
    ledger = entries()
    by_entry = {(row.vintage, row.text, row.state, row.heading): row.codes for row in ledger.itertuples()}
    keys = zip(
        audit["vintage"], audit["entry"], audit["state_abbr"], audit["level"].map(HEADINGS), strict=True
    )
    found = audit.assign(codes=[by_entry.get(key, "") for key in keys])
    found = found.groupby(["codes", "kind", "evidence"], sort=True)["vintage"].agg(";".join).reset_index()
    said = read_output("improbable_documented.csv", as_text=True).rename(columns={"code": "codes"})
    said = said.assign(vintage="")[["codes", "kind", "evidence", "vintage"]]
    return pd.concat([found[["codes", "kind", "evidence", "vintage"]], said], ignore_index=True)


def agencies() -> pd.DataFrame:
    """Every agency and kind of agreement once: `codes`, what the rosters print, and on which rosters."""
    rows = read_output("roster_agencies.csv", as_text=True)
    about = ["state_abbr", "agency_as_published", "support_type", "signed", "geoid", "unit", "needs_review"]
    days = list(rosters().values())
    rows = rows[rows["roster"].isin(days)]
    seen = rows.groupby(about, sort=True)["roster"].agg(set).reset_index()
    other = seen["unit"].map({"part_of_county": "an agency within the county, not the county's own",
                              "counties": "an agency of several counties"}).fillna("")  # fmt: skip
    return pd.DataFrame(
        {
            "codes": seen["geoid"],
            "agency": seen["agency_as_published"],
            "model": seen["support_type"].str.replace("_", " "),
            "signed": seen["signed"],
            "days": ["".join("1" if day in found else "0" for day in days) for found in seen["roster"]],
            "note": other.mask(seen["needs_review"] == "true", "in review"),
        }
    )[(seen["geoid"] != "").to_numpy()].reset_index(drop=True)


def money() -> pd.DataFrame:
    """Dollars at stake of every listed government, as text, with the middle half of the like ones."""
    rows = read_output("dollars_at_stake.csv", as_text=True)
    titles = read_output("money_definitions.csv", as_text=True).set_index(["kind", "name"])["title"]
    spread = read_output("money_range.csv", as_text=True)
    keys = ["reading", "measure", "fiscal_year", "unit"]
    middle = [
        f"{amount(row.p25_usd)} to {amount(row.p75_usd)} ({count(float(row.with_amount))} governments)"
        if row.p25_usd
        else ""
        for row in spread.itertuples()
    ]
    by_key = dict(zip(spread[keys].itertuples(index=False, name=None), middle, strict=True))
    codes = rows["geoid"].where(rows["geoid"] != "", "")
    flags = (
        rows["flags"]
        .str.split(";")
        .map(
            lambda each: "; ".join(
                f.replace("_", " ") for f in each if f and not f.startswith(("listed_", "also_"))
            )
        )
    )
    return pd.DataFrame(
        {
            "codes": codes,
            "reading": rows["reading"].map(titles.loc["reading"]),
            "measure": rows["measure"].map(titles.loc["measure"]),
            "year": rows["fiscal_year"],
            "amount": rows["amount_usd"].map(amount),
            "per_resident": rows["per_resident_usd"].map(amount),
            "middle": [by_key.get(key, "") for key in rows[keys].itertuples(index=False, name=None)],
            "reason": rows["reason"],
            "flags": flags,
        }
    )


def amount(text: str) -> str:
    """US dollars to the whole dollar; small sums, such as those per resident, to the cent.

    >>> amount("5473009298.49"), amount("192.91"), amount("")
    ('$5,473,009,298', '$192.91', '')
    """
    if not text:
        return ""
    value = float(text)
    return f"{'-' if value < 0 else ''}${abs(value):,.{0 if abs(value) >= 10_000 else 2}f}"


def events() -> pd.DataFrame:
    """Dated events that name a government as party or as removed: `codes, date, event, role, source`."""
    rows = read_output("policy_timeline.csv", as_text=True)
    rows = rows[rows["geoid"] != ""]
    return pd.DataFrame(
        {
            "codes": rows["geoid"],
            "date": rows["date"],
            "event": rows["event"],
            "role": rows["role"],
            "source": rows["name_source_url"],
        }
    ).reset_index(drop=True)


def reasons() -> pd.DataFrame:
    """Facts that make an entry or an absence on the main list improbable: `codes, reason`."""
    rows = read_output("improbable.csv", as_text=True)
    rows = rows[(rows["vintage"] == read_param("vintages")["main_list"]) & (rows["reasons"] != "")]
    said = rows["reasons"].str.split(";").map(lambda codes: "; ".join(REASONS[code] for code in codes))
    return pd.DataFrame({"codes": rows["geoid"], "reason": said}).reset_index(drop=True)


def neighbours(counties: pd.Index, states: pd.Index) -> dict[str, list[list[int]]]:
    """The positions of each county's later neighbours in `counties`, and of each state's in `states`: a pair
    stands once, with the one that comes first."""
    pairs = geography.read_adjacency(read_param("vintages")["geography"])
    pairs = pairs[pairs["GEOID"].isin(counties) & pairs["NEIGHBOR_GEOID"].isin(counties)]
    pairs = pairs[pairs["GEOID"] != pairs["NEIGHBOR_GEOID"]][["GEOID", "NEIGHBOR_GEOID"]].drop_duplicates()
    of_states = pairs.apply(lambda codes: codes.str[:2])
    of_states = of_states[of_states["GEOID"] != of_states["NEIGHBOR_GEOID"]].drop_duplicates()
    return {
        "county": beside(pairs, counties),
        "state": beside(of_states, states),
    }


def beside(pairs: pd.DataFrame, codes: pd.Index) -> list[list[int]]:
    """For each code the sorted positions of those after it that it is paired with."""
    found: list[list[int]] = [[] for _ in codes]
    here, there = (codes.get_indexer(pairs[name]) for name in ("GEOID", "NEIGHBOR_GEOID"))
    for one, other in zip(here, there, strict=True):
        if one < other:
            found[one].append(int(other))
    return [sorted(each) for each in found]


def other_codes(keys: pd.Index) -> dict[str, str]:
    """Codes that have no page, and the page that is theirs: other codes of a government, Connecticut's old
    counties (the state)."""
    shown, out = set(keys), {}
    for government in gazetteer().by_geoid.values():
        here = [code for code in (government.geoid, *government.also) if code in shown]
        for code in (government.geoid, *government.also):
            if here and code not in shown:
                out[code] = here[0]
        if government.unit == "county" and not here and government.geoid[:2] in shown:
            out[government.geoid] = government.geoid[:2]
    return dict(sorted(out.items()))


def packed(frame: pd.DataFrame) -> dict:
    """A table of text by column: texts that repeat stand once, and cells are their numbers."""
    out = {}
    for name in frame.columns:
        texts = list(dict.fromkeys(frame[name]))
        if len(texts) < len(frame) / 2:
            at: Mapping[str, int] = {text: position for position, text in enumerate(texts)}
            out[name] = {"texts": texts, "at": [at[text] for text in frame[name]]}
        else:
            out[name] = {"texts": frame[name].tolist()}
    return out
