"""The sentences that several pages share: the question, the findings, the limits, the edition.

Each is written once, with its numbers from the committed tables, and stops the page where the tables no
longer bear it. All of them are Markdown.
"""

from __future__ import annotations

import pandas as pd

from analysis.provenance import read_output, read_param, released, version
from analysis.tables import markdown_table, number
from analysis.wording import claim, count, day, direction, frequency, how_many, percent, points

# What the models of each sample are called, wherever they are shown side by side.
SAMPLES = {
    "main": "all counties",
    "main_listed_states": "counties of listed states",
    "main_other_states": "counties of other states",
}
SAMPLES_BESIDE = {
    "main_without_illinois": "all but Illinois",
    "main_listed_without_illinois": "listed states but Illinois",
    "within_state_logit": "within states, effects",
}
# The choices of model and sample by which the second finding could have been reached.
CHOICES = {
    "main": "all counties, logit",
    "main_firth": "all counties, logit with Firth's penalty (limits not clustered)",
    "main_listed_states": "counties of listed states, logit",
    "main_other_states": "counties of other states, logit",
    "within_state": "within states, linear, all states",
    "within_state_mixed": "within states, linear, states with listed and unlisted counties",
}
VOTE = "democratic_share_2024"
TOLD = "no difference that can be told from chance"


def frequencies() -> dict[str, pd.Series]:
    """Listed of 100 counties by model, keys as in `SAMPLES`; the columns of `frequencies.csv`."""
    table = read_output("frequencies.csv").set_index("sample")
    return {model: table.loc[sample] for model, sample in SAMPLES.items()}


def list_day() -> str:
    """The day of the main list, in words."""
    ledger = read_output("jurisdictions.csv")
    return day(ledger.loc[ledger["vintage"] == read_param("vintages")["main_list"], "published"].iloc[0])


def question() -> str:
    """The question that the project asks."""
    return (
        "Which measured features of a county predict that the Department of Homeland Security named it on "
        f'its list of "sanctuary jurisdictions", as archived on {list_day()}, and how sure can we be?'
    )


def findings() -> list[str]:
    """The three findings, each a claim in bold and what it rests on.

    Raises
    ------
    RenderError : the tables no longer bear a claim.
    """
    return [by_state(), by_vote(), by_agreement()]


def by_state() -> str:
    """Of counties in listed states, and elsewhere, how many are listed."""
    shares = frequencies()
    inside, outside = shares["main_listed_states"], shares["main_other_states"]
    said = claim("The state comes first.", inside["conf_low"] > outside["conf_high"])
    return (
        f"**{said}** Of 100 counties in the {count(inside['states'])} states that are themselves listed, "
        f"{frequency(inside)} were listed; of 100 counties elsewhere, {frequency(outside)}. In numbers: "
        f"{count(inside['listed'])} of {count(inside['counties'])}, and {count(outside['listed'])} of "
        f"{count(outside['counties'])}."
    )


def by_vote() -> str:
    """How many of 100 counties would be expected on the list at a low and a high Democratic share."""
    contrasts = read_output("contrasts.csv").set_index(["model", "term", "level"])
    effects = read_output("marginal_effects.csv").set_index(["model", "term", "per"])
    low, high = (contrasts.loc[("main_other_states", VOTE, level)] for level in ("low", "high"))
    low_in, high_in = (contrasts.loc[("main_listed_states", VOTE, level)] for level in ("low", "high"))
    inside, outside = (
        effects.loc[(model, VOTE, "ten_points")] for model in ("main_listed_states", "main_other_states")
    )
    inference = read_output("inference.csv").set_index(["model", "term", "method"]).sort_index()
    adjusted = inference.loc[("main_other_states", VOTE, "romano_wolf"), "p_value"]
    family = inference.xs("main_other_states").xs("romano_wolf", level="method")
    said = claim(
        "Outside those states the vote goes with listing; inside them that cannot be told.",
        outside["conf_low"] > 0 and direction(inside) == TOLD,
    )
    return (
        f"**{said}** Outside, of 100 counties {frequency(low)} would be expected on the list if all had a "
        f"Democratic share of {percent(low['value'])}, and {frequency(high)} if all had "
        f"{percent(high['value'])}. Inside, the figures for {percent(low_in['value'])} and "
        f"{percent(high_in['value'])} are {frequency(low_in)} and {frequency(high_in)}. "
        + claim(
            f"Adjusted for all {count(len(family))} terms of the model, the test of the vote does not tell "
            f"it from chance outside either (p = {number(adjusted, 2)}).",
            adjusted > 0.05,
        )
    )


def by_agreement() -> str:
    """How many counties with an agreement under section 287(g) are listed."""
    agreements = read_output("agreements_287g.csv").set_index(["roster", "scope"]).sort_index()
    roster = agreements.index.get_level_values("roster").min()
    every, both = agreements.loc[(roster, "all counties")], agreements.loc[(roster, "states with both")]
    said = claim(
        "No county whose own agency had a 287(g) agreement is listed.", every["listed_with_agreement"] == 0
    )
    return (
        f"**{said}** There were {count(every['with_agreement'])} such counties on {day(roster)}, and "
        f"{how_many(every['listed_with_agreement'])} of them was listed. But only "
        f"{count(both['with_agreement'])} of them lie in states that have any listed county."
    )


def choices() -> str:
    """The table of what goes with ten points more of the Democratic share, by choice of model and sample."""
    effects = read_output("marginal_effects.csv").set_index(["model", "term", "per"])
    fits = read_output("fits.csv").set_index("model")
    rows = [effects.loc[(model, VOTE, "ten_points")] for model in CHOICES]
    return markdown_table(
        pd.DataFrame(
            {
                "Choice": list(CHOICES.values()),
                "Percentage points (95 % limits)": [points(row) for row in rows],
                "Reading": [direction(row) for row in rows],
                "Counties": [count(fits.loc[model, "n"]) for model in CHOICES],
                "Listed": [count(fits.loc[model, "events"]) for model in CHOICES],
            }
        )
    )


def not_shown() -> str:
    """What the findings do not show; a link to the ledger stands in it."""
    return (
        "**What this does not show.** Being listed is not a policy, and nothing here says why a place was "
        "named: the agency published no rule. These are associations, not causes. The list was withdrawn "
        "within days; the [ledger](ledger.qmd) shows its errors, and corrects none away."
    )


def limits() -> list[str]:
    """The limits that come before any method."""
    fits = read_output("fits.csv").set_index("model")
    whole, inside = (
        round(fits.loc[model, "effective_clusters_by_size"]) for model in ("main", "main_listed_states")
    )
    return [
        "The list is a federal label with an unpublished rule. A place is *listed by an agency on a day*; no "
        "sentence here says more about it than that.",
        "A state's law moves the county's policy, the state's own entry and the county's entry together. No "
        "comparison of counties can take them apart, so every headline is given for all counties, for "
        "counties of listed states and for the others, and the pooled figure never stands alone.",
        f"All {count(frequencies()['main']['counties'])} counties are in the tables; this is a population "
        "and not a sample. Ranges say how much a figure would move if the states were drawn anew from many "
        f"such states. They rest on {count(fits.loc['main', 'clusters'])} states of very unequal size, "
        f"which count as about {count(whole)} equal ones in all counties and as {count(inside)} in the "
        "listed states: too few for limits to be taken to the letter, and where few of them carry an answer "
        "its range is too narrow.",
        "Shares of residents say nothing about persons.",
    ]


def edition() -> str:
    """Version with its day, and the list that the page is about."""
    return (
        f"Version {version()} of {day(released())}. List: {read_param('vintages')['main_list']}, as "
        f"archived on {list_day()}."
    )


def bullets(items: list[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {item}" for item in items)
