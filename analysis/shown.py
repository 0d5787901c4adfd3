"""What `lookup` found, as text for a terminal and as a mapping for scripts."""

from __future__ import annotations

from dataclasses import fields

import pandas as pd

from analysis.errors import visible
from analysis.lookup import Found
from analysis.terminal import paragraph, plain_table
from analysis.wording import count

ENTRIES = {
    "vintage": "list",
    "level": "heading",
    "text_as_published": "as printed",
    "geoid": "code",
    "match_type": "matched",
    "needs_review": "in review",
    "note": "note",
}
LISTINGS = {
    "vintage": "list",
    "is_listed": "listed",
    "as_county": "as a county",
    "place_inside": "a place in it",
    "county": "its county",
    "state": "its state",
}
MONEY = {
    "reading": "reading",
    "measure": "measure",
    "fiscal_year": "year",
    "amount_usd": "US dollars",
    "per_resident_usd": "per resident",
    "reason": "why none",
}


def as_record(found: Found) -> dict[str, object]:
    """The fields of a `Found` by name, for JSON."""
    return {field.name: getattr(found, field.name) for field in fields(found)}


def as_text(found: Found, within: int | None = None) -> str:
    """A `Found` in sections, the heading of each on a line of its own.

    Parameters
    ----------
    within : the width of the terminal in letters; None does not break lines.
    """
    title = found.name if found.unit == "state" else f"{found.name}, {found.state}"
    codes = f"{found.unit} {found.geoid}" if found.geoid else "no government"
    also = f", also {', '.join(found.also)}" if found.also else ""
    parts = [f"{title}\n{paragraph(f'{codes}{also}; found {found.how}', within)}"]
    parts.append(_section("Entries as printed", found.entries, ENTRIES, "no list has an entry of it", within))
    if found.geoid:
        parts.append(_section("On each list", found.listings, LISTINGS, "there is no list", within))
        parts.append(f"287(g) agreements of its own agencies\n{_agreements(found.agreements, within)}")
        parts.append(f"Probability of an entry\n{paragraph(_prediction(found), within)}")
        none = "no row: dollars_at_stake.csv holds listed governments alone"
        parts.append(_section("Federal money, each measure apart", found.dollars, MONEY, none, within))
    if len(found.neighbours):
        named = [
            f"{row['name']}, {row['state']} ({'' if row['is_listed'] else 'not '}listed)"
            for _, row in found.neighbours.iterrows()
        ]
        parts.append(f"Counties that touch it\n{paragraph('; '.join(named), within)}")
    if found.missing:
        parts.append(f"No value of\n{paragraph('; '.join(found.missing), within)}")
    if found.cautions:
        cautions = "; ".join(each.replace("_", " ") for each in found.cautions)
        parts.append(f"Cautions\n{paragraph(cautions, within)}")
    return visible("\n\n".join(parts))


def _section(
    heading: str, frame: pd.DataFrame, columns: dict[str, str], none: str, within: int | None
) -> str:
    """A table under its heading, without columns that are empty throughout."""
    if frame.empty:
        return f"{heading}\n{paragraph(none, within)}"
    there = [name for name in columns if not (frame[name].isna() | frame[name].eq("")).all()]
    return f"{heading}\n{plain_table(frame[there].rename(columns=columns), within)}"


def _agreements(rosters: pd.DataFrame, within: int | None) -> str:
    span = f"{count(len(rosters))} rosters from {rosters['roster'].iloc[0]} to {rosters['roster'].iloc[-1]}"
    there = rosters[rosters["agreements"] > 0]
    if there.empty:
        return paragraph(f"on none of the {span}", within)
    return f"on {count(len(there))} of the {span}\n{plain_table(there, within)}"


def _prediction(found: Found) -> str:
    said = found.prediction
    if said is None:
        return "none: it is no unit of a panel"
    if pd.isna(said["probability"]):
        why = f"it has no {', '.join(said['missing'])}" if said["missing"] else "it is outside the sample"
        return f"none by the model `{said['model']}`: {why}"
    limits = "" if pd.isna(said["conf_low"]) else f" ({said['conf_low']:.2f} to {said['conf_high']:.2f})"
    return (
        f"{said['probability']:.2f}{limits} on {said['list']}, by the model `{said['model']}` of "
        f"params.yaml, which has not seen {found.state}. It is no measure of any policy, and says nothing of "
        "whether the place should be listed."
    )
