"""The assistance files of before 2017 (FAADS Plus, 67 columns), as the columns of today's bulk files."""

from __future__ import annotations

import ibis
from ibis import Table, Value

from analysis.sources.states import STATES, TERRITORIES

# Of the old columns those that a flow is made of.
NEEDED = (
    "assistance_type",
    "cfda_program_num",
    "correction_late_ind",
    "fed_funding_amount",
    "fiscal_year",
    "maj_agency_cat",
    "obligation_action_date",
    "principal_place_code",
    "principal_place_country_code",
    "recipient_country_code",
    "recipient_county_code",
    "recipient_state_code",
    "recipient_type",
    "record_type",
)
NUMBER = "[0-9]{1,3}"  # of a county within its state
COUNTY_WIDE = "^[0-9]{2}[*]{2}[0-9]{3}$"


def modern(table: Table) -> Table:
    """The old table with today's names: codes without their descriptions, counties with their state's code.

    The place of performance was a county only where its code says so (`36**061`); a city's code, which
    names no county, leaves it missing.
    """
    old = table.select(**{name: table[name].fill_null("") for name in NEEDED})
    state = old.recipient_state_code.cases(
        *[(name, code) for name, (code, _) in (STATES | TERRITORIES).items()], else_=""
    )
    number = old.recipient_county_code
    place, day = old.principal_place_code, old.obligation_action_date
    return old.select(
        assistance_type_code=before_colon(old.assistance_type),
        federal_action_obligation=old.fed_funding_amount,
        action_date_fiscal_year=old.fiscal_year,
        awarding_agency_name=old.maj_agency_cat.substr(6),
        cfda_number=old.cfda_program_num.strip(),
        business_types_code=before_colon(old.recipient_type),
        prime_award_transaction_recipient_county_fips_code=ibis.cases(
            ((number == "") | (state == ""), ""),
            (number.re_search(rf"^{NUMBER}\z"), state + number.lpad(3, "0")),
            else_=state + "?" + number,  # no county's code, so that it is refused
        ),
        prime_award_transaction_place_of_performance_county_fips_code=place.re_search(COUNTY_WIDE).ifelse(
            place.substr(0, 2) + place.substr(4, 3), ""
        ),
        action_date=day.substr(6, 4) + "-" + day.substr(0, 2) + "-" + day.substr(3, 2),
        record_type_code=old.record_type,
        recipient_country_code=old.recipient_country_code,
        prime_award_transaction_recipient_state_fips_code=state,
        primary_place_of_performance_scope=ibis.literal(""),
        primary_place_of_performance_country_code=old.principal_place_country_code,
        primary_place_of_performance_code=place,
        correction_delete_indicator_code=old.correction_late_ind.substr(0, 1),
    )


def before_colon(text: Value) -> Value:
    """The code of two digits in "04: Project grant"."""
    return text.substr(0, 2)
