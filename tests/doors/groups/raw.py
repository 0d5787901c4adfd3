"""The published files under `data/raw`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from tests.conftest import FIXTURE, forget
from tests.doors import looks, real
from tests.doors.engine import Door, Given
from tests.doors.groups.raw_files import READING, fixture_raw, raw
from tests.doors.looks import table_of

COUNTY, STATE, PLACE = r"[0-9]{5}", r"[0-9]{2}", r"[0-9]{7}"


def raw_doors() -> Iterator[Door]:
    from analysis import units
    from analysis.grants import stage as grants
    from analysis.jurisdictions import gazetteer
    from analysis.maps import decode
    from analysis.models.prediction import documented
    from analysis.models.spatial import stage as spatial
    from analysis.provenance import read_origin
    from analysis.sources import (
        acs,
        events,
        geography,
        lists,
        money,
        programs,
        rosters,
        state_policy,
        unauthorized,
        votes,
    )
    from analysis.stakes import stage as stakes

    def named(*names: str) -> tuple[str, ...]:
        return (*READING, *(f"analysis.sources.{name}" for name in names))

    for vintage, levels in {
        "2015-2019": ("county",),
        "2017-2021": ("county", "place", "state"),
        "2018-2022": ("county",),
        "2019-2023": ("county", "place", "state"),
        "2020-2024": ("county",),
    }.items():
        for level in levels:
            code = {"county": COUNTY, "place": f"{PLACE}|[0-9]{{10}}", "state": STATE}[level]
            yield raw(
                f"acs/{vintage}/{level}.csv",
                partial(acs.read, level=level),
                named("acs.read", "acs.read_file", "reading.numbers"),
                table_of({"geoid": code}),
                rows=15,
            )
    yield raw(
        "assistance_listings/2026-11-22/law_enforcement.csv",
        programs.read_listings,
        named("programs.read_listings"),
        looks.frame,
    )
    yield raw(
        "boundaries/2023/counties-albers-10m.json",
        lambda vintage: decode(geography.read_boundaries(vintage), "counties"),
        ("analysis.provenance.raw_file", "analysis.sources.geography.read_boundaries"),
        looks.mapping,
    )
    yield raw(
        "city_grants/fy2017-2023/city_grants.csv",
        programs.read_city_grants,
        named("programs.read_city_grants"),
        table_of({"geoid": PLACE}),
    )
    yield raw(
        "county_grants/fy2022/grants_county.csv",
        money.read_county_grants,
        named("money.read_county_grants"),
        table_of({"geoid": COUNTY}),
    )
    yield raw(
        "geography/2024/county_geography.csv",
        lambda vintage: (
            geography.read_counties(vintage),
            geography.read(vintage),
            geography.read(vintage, "state"),
        ),
        named("geography.read_counties", "geography.read"),
        looks.all_of(*[table_of({"geoid": COUNTY})] * 2, table_of({"geoid": STATE})),
    )
    yield raw(
        "geography/2024/county_subdivisions.csv",
        geography.read_subdivisions,
        named("geography.read_subdivisions"),
        table_of({"geoid": "[0-9]{10}"}),
    )
    yield raw(
        "geography/2024/place_county.csv",
        geography.read_places,
        named("geography.read_places"),
        table_of({"PLACE_GEOID": PLACE, "COUNTY_GEOID": COUNTY}),
    )
    yield raw(
        "geography/2024/county_adjacency.csv",
        geography.read_adjacency,
        named("geography.read_adjacency"),
        table_of({"GEOID": COUNTY, "NEIGHBOR_GEOID": COUNTY}),
    )
    yield raw(
        "geography/2024/county_adjacency.csv",
        lambda vintage: spatial.read_adjacency(vintage),
        named("geography.read_adjacency"),
        looks.frame,
        name="neighbours of the spatial models",
    )
    for vintage in ("dhs-2025-05-29", "dhs-2025-05-31", "doj-2025-08-05"):
        yield raw(
            f"lists/{vintage}/listings.csv",
            lists.read,
            named("lists.read"),
            table_of({"level": "state|county|place", "state_abbr": "[A-Z]{2}"}),
        )
    yield raw(
        "lists/dhs-2025-05-31/listings.csv",
        lambda vintage: lists.read_all(),
        named("lists.read", "lists.read_all"),
        looks.frame,
        name="every list",
    )
    yield raw(
        "policy_events/2026-11-22/policy_events.csv",
        events.read,
        named("events.read"),
        table_of({"date": r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?"}),
    )
    yield raw(
        "policy_events/2026-11-22/policy_events.csv",
        lambda vintage: events.read_newest(),
        named("events.read_newest"),
        looks.frame,
        name="the newest events",
    )
    yield raw(
        "press/2026-11-22/listings_press_evidence.csv",
        lambda vintage: documented.read_press(),
        (*READING, "analysis.models.prediction.documented.read_press"),
        looks.frame,
    )
    yield raw(
        "program_totals/2026-11-22/program_totals.csv",
        programs.read_totals,
        named("programs.read_totals"),
        looks.frame,
    )
    yield raw(
        "published/2026-11-22/published.csv",
        lambda vintage: stakes.published_totals(),
        (*READING, "analysis.stakes.stage.published_totals"),
        looks.anything,
    )
    for vintage in ("2025-01-19", "2025-05-28"):
        yield raw(
            f"rosters/{vintage}/roster.csv",
            rosters.read,
            named("rosters.read"),
            table_of({"state_abbr": "[A-Z]{2}"}),
        )
    yield raw(
        "rosters/2025-05-28/roster.csv",
        lambda vintage: rosters.read_all(),
        named("rosters.read", "rosters.read_all"),
        looks.frame,
        name="every roster",
    )
    yield raw(
        "slfrf/2021-05-10/slfrf_allocations.csv",
        lambda vintage: (money.read_slfrf_rows(vintage), money.read_slfrf(vintage)),
        named("money.read_slfrf_rows", "money.read_slfrf"),
        looks.all_of(looks.frame, looks.anything),
    )
    yield raw(
        "state_capitals/2026-11-22/state_capitals.csv",
        programs.read_capitals,
        named("programs.read_capitals"),
        table_of({"state_abbr": "[A-Z]{2}"}),
    )
    yield raw(
        "state_laws/2025-05-29/state_immigration_laws.csv",
        lambda vintage: (state_policy.read_law_rows(vintage), state_policy.read_laws(vintage)),
        named("state_policy.read_law_rows", "state_policy.read_laws"),
        looks.all_of(looks.frame, table_of({"geoid": STATE})),
    )
    yield raw(
        "state_politics/2025-01-20/state_politics.csv",
        state_policy.read_politics,
        named("state_policy.read_politics"),
        table_of({"geoid": STATE}),
    )
    yield raw(
        "unauthorized/2023/unauthorized_county.csv",
        lambda vintage: (
            unauthorized.read_rows(vintage),
            unauthorized.read(vintage),
            unauthorized.read(vintage, "state"),
        ),
        named("unauthorized.read_rows", "unauthorized.read"),
        looks.all_of(looks.frame, looks.anything, looks.anything),
    )
    yield raw(
        "usaspending/reap-fy2021-2024/grants_county_cfda10868.csv",
        lambda vintage: money.read_county_flows(vintage, "grants_county_cfda10868.csv"),
        named("money.read_county_flows"),
        table_of(
            {
                "county_geoid": COUNTY,
                "fiscal_year": "[0-9]{4}",
                "obligations_usd": r"-?[0-9]+\.[0-9]{2}",
                "transactions": "[0-9]+",
            }
        ),
    )
    yield replace(
        raw(
            "usaspending/reap-fy2021-2024/grants_county_cfda10868.csv",
            lambda vintage: grants.vintage_flows(vintage, "2025-01-20").to_pandas(),
            (*READING, "analysis.grants.stage.vintage_flows", "analysis.grants.stage.compiled"),
            looks.anything,
            name="compiled grant flows",
        ),
        share=0.3,
    )
    for vintage in ("2020", "2024"):
        yield raw(
            f"votes/{vintage}/county_votes.csv",
            lambda vintage: (votes.read_rows(vintage), votes.read(vintage), votes.read(vintage, "state")),
            named("votes.read_rows", "votes.read"),
            looks.all_of(looks.frame, looks.anything, table_of({"geoid": STATE})),
        )
    # What stands on several of these: units and names, from files that their readers let through.
    for path in (
        "acs/2019-2023/place.csv",
        "acs/2017-2021/place.csv",
        "geography/2024/place_county.csv",
        "geography/2024/county_subdivisions.csv",
    ):
        yield replace(
            fixture_raw(
                path,
                lambda: units.read_units("place", "2024"),
                "analysis.units.read_units",
                looks.anything,
                "units",
            ),
            share=0.5,
        )
    for path in (
        "geography/2024/county_geography.csv",
        "geography/2024/place_county.csv",
        "geography/2024/county_subdivisions.csv",
    ):
        yield replace(
            fixture_raw(
                path, gazetteer.frame, "analysis.jurisdictions.gazetteer.frame", looks.anything, "gazetteer"
            ),
            share=0.5,
        )

    def origin(given: Given) -> object:
        path = given.project / "data" / "raw" / "rosters" / "2025-05-28" / "origin.yaml"
        path.write_bytes(given.content)
        forget()
        return (read_origin("rosters", "2025-05-28"), rosters.read("2025-05-28"))

    source = FIXTURE / "data" / "raw" / "rosters" / "2025-05-28" / "origin.yaml"
    yield Door(
        "data/raw/*/*/origin.yaml",
        "yaml",
        real.whole(source),
        origin,
        ("analysis.provenance.read_origin", "analysis.provenance.read_yaml"),
        looks.all_of(looks.mapping, looks.frame),
    )
