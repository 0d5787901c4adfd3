"""What the words in `dollars_at_stake.csv` mean: readings, measures, flags and reasons, each once."""

from __future__ import annotations

import pandas as pd

READINGS = {
    "justice_law_enforcement": (
        "Justice, law enforcement",
        "Grants to the government itself under the Department of Justice's Assistance Listings for law "
        "enforcement (16.606, 16.607, 16.710, 16.738).",
    ),
    "justice_and_homeland_security": (
        "Justice and Homeland Security",
        "All grants of the Departments of Justice and of Homeland Security to the government itself.",
    ),
    "own_government": (
        "All grants to the government itself",
        "Grants of every agency to the government as recipient; what comes through the state is not in it.",
    ),
    "performed_in_county": (
        "All grants performed in the county",
        "Grants of every agency to any recipient, by the county in which the work is done.",
    ),
    "slfrf": (
        "Recovery funds of 2021, the yardstick",
        "State and Local Fiscal Recovery Funds (Assistance Listing 21.027). Paid already, so not at stake: "
        "a sum that every budget office knows, to give the size of the government.",
    ),
}

MEASURES = {
    "obligations": (
        "Obligations of the fiscal year",
        "Sum of the federal obligations of all grant transactions (award types 02 to 05, F001 and F002) of "
        "the fiscal year; what was taken back counts against it.",
    ),
    "jag_local_allocation": (
        "JAG allocation of the city",
        "What Justice published as the city's allocation of one programme (Assistance Listing 16.738), "
        "rounded to 0.1 million US dollars; for the five largest only.",
    ),
    "jag_state_and_local_allocation": (
        "JAG allocation of the state and its local governments",
        "What Justice published as the allocation of one programme (Assistance Listing 16.738) to a state "
        "and its local governments, rounded to 0.1 million US dollars; for the five largest only.",
    ),
    "prime_awards": (
        "Prime awards of all types to the city",
        "Federal prime awards of the fiscal year to local-government registrations in the city, contracts "
        "and loans among them, de-obligations spread over each award's years by the compilers; 126 cities.",
    ),
    "whole_awards_active": (
        "Whole awards active in the year",
        "Sum of the whole amounts to date of the grants that had an action in the fiscal year; a grant of "
        "five years counts in full. Not what was obligated in the year.",
    ),
    "jag_allocation": (
        "JAG allocations of the nation",
        "What Justice published as the allocations of one programme (Assistance Listing 16.738) to states, "
        "local governments and territories, rounded to 0.1 million US dollars. Only in the reconciliation.",
    ),
    "slfrf_allocation": (
        "Allocation of May 2021",
        "What Treasury allocated to the county or metropolitan city in 2021, for both tranches.",
    ),
}

# The measures of which every government has a row; the others have rows only where a figure was published.
STANDARD = {
    "justice_law_enforcement": ("obligations",),
    "justice_and_homeland_security": ("obligations",),
    "own_government": ("obligations", "prime_awards"),
    "performed_in_county": ("obligations", "whole_awards_active"),
    "slfrf": ("slfrf_allocation",),
}

FLAGS = {
    "listed_VINTAGE": "The government has an entry on that list.",
    "also_CODE": "Another Census code of the same government.",
    "consolidated": "City and county are one government.",
    "printed_twice": "One list names the government in two entries; it counts once.",
    "state_capital": "The capital of a state, or the county that holds it: grants to state agencies are "
    "booked there and passed on, so it is kept out of every distribution and order.",
    "plaintiff": "A source names it as a plaintiff in a suit over the orders, or over immigration conditions "
    "on grants; see the timeline.",
    "removed_from_list": "A source says that its entry was taken off a list; see the timeline.",
    "county_and_city_share": "The sum of the allocation as a county and the one as a city; a consolidated "
    "government receives both (42 U.S.C. 803(b)(4)).",
    "not_a_general_government": "Treasury's star: the county is no unit of general local government, and "
    "its allocation went to the state. Kept out of every distribution.",
    "city_registrations_only": "The compilers removed the registrations of counties, which for a "
    "government that is a county too may be its own.",
    "one_programme": "One programme of the reading, not all of it.",
    "rounded": "Rounded to 0.1 million US dollars as published.",
    "with_local_governments": "The state's local governments are in the figure.",
    "coverage_not_stated": "No award file states that it holds all of the agency's grants of the year.",
}

REASONS = {
    "no_award_files": "no nationwide award files are here yet; they come with a refresh",
    "no_agency_file": "the award files hold no grant of the agency in any year",
    "not_all_agencies": "no award file states that it holds every agency's grants of a year",
    "no_transaction": "the award files hold no such transaction of the government in the year",
    "city_not_separable": "award files are summed by county and kind of recipient; other cities share it",
    "not_a_county": "the table is by county, and the government is not one",
    "not_a_city": "the compilation holds cities only",
    "not_among_cities": "not among the cities of the compilation",
    "blank_in_source": "blank in the source",
    "no_row": "the table has no row for the county",
    "no_state_allocations": "the table holds counties and metropolitan cities; states were allocated apart",
    "not_metropolitan": "not one of Treasury's metropolitan cities; others were paid through their state",
    "no_allocation": "the table has no allocation under the county's code",
    "no_population": "nothing per resident: the panel has no population of 2019-2023",
}


def definitions() -> pd.DataFrame:
    """Every word with its meaning: `kind` (reading, measure, flag, reason), `name`, `title`, `definition`."""
    rows = [("reading", name, *words) for name, words in READINGS.items()]
    rows += [("measure", name, *words) for name, words in MEASURES.items()]
    rows += [("flag", name, "", words) for name, words in FLAGS.items()]
    rows += [("reason", name, "", words) for name, words in REASONS.items()]
    return pd.DataFrame(rows, columns=["kind", "name", "title", "definition"])
