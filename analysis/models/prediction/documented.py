"""Entries that somebody wrote about: documented errors, entries that officials disputed, and removed ones."""

from __future__ import annotations

import re

import pandas as pd

from analysis.jurisdictions.audit import bare
from analysis.ledger import codes_of
from analysis.provenance import vintages
from analysis.sources.reading import read_table

# Oddities that bear on whether a place should be listed at all, not on how its name was printed.
ABOUT_LISTING = (
    "another meaning of the word",
    "declared the other way",
    "held an agreement on the day",
    "held persons for ICE",
)
DISPUTED = re.compile(
    r"object|surpris|did not know why|disputed|denied|in error|mistake|mix-up|wrong |conflict: .*not on the"
    r" list|own jail|seeking its removal|had been removed|non-sanctuary|agreement|contract"
)
NOT_ABOUT_LISTING = re.compile(r"does not name its state|names Bellingham instead")


def read_press() -> pd.DataFrame:
    """What news pages said of the lists, every vintage of the compilation; empty where there is none."""
    columns = ["vintage", "level", "state_abbr", "name_as_published", "note", "n_sources"]
    tables = [
        read_table("press", vintage, "listings_press_evidence.csv", required=columns)
        for vintage in vintages("press")
    ]
    return pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns, dtype="str")


def documented(
    ledger: pd.DataFrame, audit: pd.DataFrame, press: pd.DataFrame, changes: pd.DataFrame, main: str
) -> pd.DataFrame:
    """Codes of the governments whose entry on one issuer's lists is documented as doubtful.

    Parameters
    ----------
    ledger, audit, changes : the rows of `jurisdictions.csv`, `entry_audit.csv` and `vintages.csv` as text.
    press : from `read_press`. main : the list that the models explain; its issuer's lists are looked at.

    Returns
    -------
    DataFrame `code, kind, evidence`, one row a code and kind: `documented error` (our audit, of the main
    list), `disputed` (a news page reports an objection or a doubt), `removed` (gone from a later list of
    the issuer).
    """
    issuer = ledger.loc[ledger["vintage"] == main, "issuer"].iloc[0]
    own = ledger[ledger["issuer"] == issuer]
    own = own.assign(key=_keys(own["state_abbr"], own["level"], own["text_as_published"]))
    codes = codes_of(own)
    found = []

    errors = audit[(audit["vintage"] == main) & audit["kind"].isin(ABOUT_LISTING)]
    for row in errors.itertuples():
        hit = codes[(codes["vintage"] == main) & (codes["text_as_published"] == row.entry)]
        hit = hit[(hit["state_abbr"] == row.state_abbr) & (hit["level"] == row.level)]
        found += [(code, "documented error", row.kind) for code in hit["code"]]

    notes = press["note"].fillna("")
    doubted = press[
        press["vintage"].isin(own["vintage"])
        & notes.str.contains(DISPUTED)
        & ~notes.str.contains(NOT_ABOUT_LISTING)
    ]
    by_key = codes.groupby("key")["code"].unique()
    keys = _keys(doubted["state_abbr"], doubted["level"], doubted["name_as_published"])
    for key, note in zip(keys, doubted["note"], strict=True):
        found += [(code, "disputed", note) for code in by_key.get(key, ())]

    later = changes[changes["to"].isin(own["vintage"]) & (changes["change"] == "left")]
    for row in later[later["from"].isin(own["vintage"])].itertuples():
        found += [(code, "removed", row.text_from) for code in str(row.geoid).split(";") if code]

    table = pd.DataFrame(found, columns=["code", "kind", "evidence"])
    return table.drop_duplicates(["code", "kind"]).sort_values(["kind", "code"], ignore_index=True)


def _keys(states: pd.Series, levels: pd.Series, names: pd.Series) -> list[str]:
    return [f"{state} {level} {bare(name)}" for state, level, name in zip(states, levels, names, strict=True)]
