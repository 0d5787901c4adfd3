"""Every door of the project: what can come in, and who reads it.

`test_doors.py` holds that every function of `analysis` that opens or parses anything stands behind a door
here, or among those that `OWN` says are none.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache, partial
from pathlib import Path

import pandas as pd
import yaml

from tests.conftest import FIXTURE, REPOSITORY, forget
from tests.doors import looks, real
from tests.doors.engine import Door, Given
from tests.doors.looks import table_of
from tests.doors.mutations.tables import table
from tests.doors.real import ORIGINALS, PROCESSED, RAW

READING = (
    "analysis.sources.reading.read_table",
    "analysis.sources.reading.parse",
    "analysis.provenance.raw_file",
)
COUNTY, STATE, PLACE = r"[0-9]{5}", r"[0-9]{2}", r"[0-9]{7}"


def forget_all() -> None:
    """Let go what was read of the case before."""
    from analysis.jurisdictions import corrections, gazetteer
    from analysis.models.multiverse import universe

    forget()
    for module in (corrections, gazetteer, universe):
        for name in vars(module).values():
            if hasattr(name, "cache_clear") and name.__module__ == module.__name__:
                name.cache_clear()


# -- the published files under data/raw ----------------------------------------------------------------------


def put_raw(given: Given, path: str, original: bytes | None) -> Path:
    """The bytes as a file of `data/raw`, with an origin that records them, or the file they were made of."""
    file = given.project / "data" / "raw" / path
    origin = file.with_name("origin.yaml")
    file.parent.mkdir(parents=True, exist_ok=True)
    if not origin.is_file():
        shutil.copyfile(RAW / origin.relative_to(given.project / "data" / "raw"), origin)
    about = real_origin(str(origin))
    stated = given.content if given.recorded else original or b""
    entry = {"sha256": hashlib.sha256(stated).hexdigest()}
    if given.draw.random() < 0.5 and file.suffix == ".csv":
        entry["rows"] = max(0, len(table(stated)) - 1)
    origin.write_text(
        yaml.safe_dump(about | {"files": about["files"] | {file.name: entry}}), encoding="utf-8"
    )
    file.write_bytes(given.content)
    return file


@cache
def real_origin(path: str) -> dict:
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def raw(
    path: str,
    read: Callable[[str], object],
    reaches: tuple[str, ...],
    look: looks.Look,
    name: str = "",
    rows: int = real.ROWS,
) -> Door:
    """The door of one file of `data/raw`: `read` takes its vintage."""
    file = RAW / path
    some = real.part(file, rows) if file.suffix == ".csv" else real.topology

    def enter(given: Given) -> object:
        put_raw(given, path, some())
        forget_all()
        return read(path.split("/")[1])

    kind = "csv" if file.suffix == ".csv" else "json"
    return Door(
        name or f"data/raw/{path}", kind, some, enter, reaches, look, real.whole(file), checksummed=True
    )


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
        forget_all()
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


def fixture_raw(path: str, read: Callable[[], object], reached: str, look: looks.Look, name: str) -> Door:
    """A file of the fixture project, rows of the real one that fit each other, before what is built on several."""
    file = FIXTURE / "data" / "raw" / path

    def enter(given: Given) -> object:
        put_raw(replace(given, recorded=True), path, None)
        try:
            forget_all()
            return read()
        finally:
            shutil.copyfile(file, given.project / "data" / "raw" / path)
            shutil.copyfile(
                file.with_name("origin.yaml"),
                (given.project / "data" / "raw" / path).with_name("origin.yaml"),
            )

    return Door(f"{name}: {path}", "csv", real.whole(file), enter, (*READING, reached), look)


# -- what is written by hand ---------------------------------------------------------------------------------


def hand_doors() -> Iterator[Door]:
    from analysis import catalogue, panel
    from analysis.jurisdictions import accuracy, corrections
    from analysis.jurisdictions.match import match
    from analysis.models.multiverse.declaration import declared
    from analysis.models.prediction.specification import load_prediction
    from analysis.models.spec import declared_keys, load_model
    from analysis.provenance import addresses, read_param, read_params, released, version, vintages

    folder = REPOSITORY / "data" / "corrections"

    def put(given: Given, name: str) -> None:
        (given.project / name).write_bytes(given.content)
        forget_all()

    for name in corrections.TABLES:

        def decided(given: Given, name: str = name) -> object:
            path = given.project / "data" / "corrections" / f"{name}.csv"
            before = (folder / path.name).read_bytes()
            put(given, f"data/corrections/{path.name}")
            try:
                rows = corrections.read(name)
                if name in ("names", "aliases", "agencies", "districts", "consolidated_governments"):
                    match(sample_names())
                return rows
            finally:
                path.write_bytes(before)

        yield Door(
            f"data/corrections/{name}.csv",
            "csv",
            real.whole(folder / f"{name}.csv"),
            decided,
            ("analysis.jurisdictions.corrections.read", "analysis.sources.reading.parse"),
            looks.frame,
            share=0.6,
        )

    def corpus(given: Given) -> object:
        put(given, "data/corrections/hard_names.csv")
        return accuracy.read_corpus()

    yield Door(
        "data/corrections/hard_names.csv",
        "csv",
        real.whole(folder / "hard_names.csv"),
        corpus,
        ("analysis.jurisdictions.accuracy.read_corpus",),
        looks.frame,
    )

    def params(given: Given) -> object:
        put(given, "params.yaml")
        found = read_params()
        for part in ("vintages", "as_of_before", "models", "layers", "prediction"):
            read_param(part)
        vintages("lists"), vintages("rosters")
        for name in found["models"]:
            load_model(name)
        for name in found["prediction"]:
            load_prediction(name)
        for part in ("measurement", "spatial"):
            declared_keys(part, found.get(part) or [])
        return found

    def multiverse(given: Given) -> object:
        for level in catalogue.LEVELS:  # what the declaration is held against
            panels = given.project / "data" / "processed" / f"panel_{level}.parquet"
            panels.parent.mkdir(exist_ok=True)
            if not panels.is_file():
                panels.symlink_to(PROCESSED / panels.name)
        put(given, "params.yaml")
        return declared().every_cell

    fixture_params = FIXTURE / "params.yaml"
    reached = tuple(
        f"analysis.{name}"
        for name in (
            "provenance.read_params", "provenance.read_param", "provenance.read_yaml", "models.spec.load_model",
            "models.prediction.specification.load_prediction",
        )
    )  # fmt: skip
    yield Door("params.yaml", "yaml", real.whole(fixture_params), params, reached, looks.mapping, share=2)
    yield Door(
        "params.yaml: the multiverse",
        "yaml",
        real.whole(fixture_params),
        multiverse,
        ("analysis.models.multiverse.declaration.declared",),
        looks.anything,
        share=0.4,
    )

    def variables(given: Given) -> object:
        file = given.project / "variables.yaml"
        file.write_bytes(given.content)
        forget_all()
        found = {level: catalogue.load_catalogue(level, file) for level in catalogue.LEVELS}
        for known in found.values():
            for name in known:
                catalogue.measured_until(name, known)
        return found["county"]

    def excerpt() -> bytes:
        """Some of the catalogue: variables of published files, which no other variable is part of."""
        entries = re.split(rb"(?m)^(?=\w)", catalogue.FILE.read_bytes())
        plain = [entry for entry in entries if re.match(rb"\w", entry) and b"derived" not in entry]
        return b"".join(plain[::4])

    yield Door(
        "analysis/variables.yaml",
        "yaml",
        cache(excerpt),
        variables,
        ("analysis.catalogue.load_catalogue", "analysis.provenance.read_yaml"),
        looks.mapping,
        whole=real.whole(catalogue.FILE),
        share=2,
    )

    def built(given: Given) -> object:
        file = given.project / "variables.yaml"
        file.write_bytes(given.content)
        forget_all()
        known = catalogue.load_catalogue("state", file)
        plain = {
            name: v
            for name, v in known.items()
            if v.source.partition("/")[0] not in ("ledger", "agreements", "grant_flows")
        }
        from analysis.units import read_units

        made, _ = panel.build(
            read_units("state", "2024"), plain, cache(partial(panel.read_source, level="state")), {}
        )
        return made

    yield Door(
        "a panel by its catalogue",
        "yaml",
        cache(excerpt),
        built,
        ("analysis.panel.build", "analysis.panel.read_source", "analysis.formulas.evaluate"),
        looks.anything,
        share=0.5,
    )

    def cited(given: Given) -> object:
        put(given, "CITATION.cff")
        return released()

    yield Door(
        "CITATION.cff",
        "yaml",
        real.whole(REPOSITORY / "CITATION.cff"),
        cited,
        ("analysis.provenance.released",),
        looks.anything,
        share=0.5,
    )

    def project_file(given: Given) -> object:
        from analysis.refresh.http import user_agent

        put(given, "pyproject.toml")
        return (version(), addresses(), user_agent())

    yield Door(
        "pyproject.toml",
        "toml",
        real.whole(REPOSITORY / "pyproject.toml"),
        project_file,
        ("analysis.provenance.version", "analysis.provenance.addresses", "analysis.refresh.http.user_agent"),
        looks.anything,
        share=0.5,
    )


@cache
def sample_names() -> pd.DataFrame:
    """Names that the hand decisions of the fixture's states speak of."""
    rows = [
        ("GA", "place", "Athens"),
        ("KS", "county", "Lawrence"),
        ("NM", "place", "Santa Fe"),
        ("DC", "place", "District"),
    ]
    return pd.DataFrame(rows, columns=["state_abbr", "level", "text_as_published"])


def name_doors() -> Iterator[Door]:
    """Names of whatever kind, and answers to the queue."""
    from analysis.jurisdictions import corrections, review
    from analysis.jurisdictions.gazetteer import gazetteer
    from analysis.jurisdictions.match import match
    from analysis.jurisdictions.normalise import key, normalise, readings, split_state, state_of

    def matched(given: Given) -> object:
        text = given.content.decode("utf-8", "surrogateescape")
        records = [line.split("\x1f") for line in text.replace(",", "\x1f").split("\n")][:60]
        header = table(real.names())[0]
        rows = [(record + [""] * len(header))[: len(header)] for record in records]
        for _ in range(given.draw.randrange(4)):
            row, at = given.draw.choice(rows), given.draw.randrange(len(header))
            row[at] = given.draw.choice([None, float("nan"), pd.NA, pd.NaT, 7, 1e308, b"x", [], {}, object()])
        frame = pd.DataFrame(
            {name: pd.Series([row[at] for row in rows], dtype="object") for at, name in enumerate(header)}
        )
        for cell in frame.to_numpy().ravel():
            once = normalise(cell)
            assert normalise(once) == once, cell
            key(cell), readings(cell), split_state(cell), state_of(cell)
        agencies = frame.drop(columns=["level", "text_as_published"])
        return (match(frame), match(agencies))

    yield Door(
        "names",
        "csv",
        cache(real.names),
        matched,
        ("analysis.jurisdictions.match.match", "analysis.jurisdictions.normalise.readings"),
        looks.all_of(looks.verdicts, looks.verdicts),
        share=2,
    )

    def entries(content: bytes) -> dict:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
        return {name: str(text) for name, text in rows[0].items()}

    queue = PROCESSED / "review_queue.csv"

    def answered(given: Given) -> object:
        """The answer's words are changed, not the queue."""
        words = given.content.decode("utf-8", "surrogateescape").split("|") + [""] * 4
        forget_all()
        row = entries(queue.read_bytes()) | {"state_abbr": "NM", "name": "Nowhere", "level": "place"}
        row |= given.draw.choice(
            ({"source": "list"}, {"source": "roster", "file": "data/corrections/agencies.csv"})
        )
        path = given.project / review.path_of(row["source"])
        before = path.read_bytes()
        try:
            line = review.answer(row, review.decision(gazetteer(), row, *words[:4]))
            corrections.read(review.FILES[row["source"]])
            return line
        finally:
            path.write_bytes(before)

    real_answer = "3570500|The page of the city says so.|https://example.org/a|2026-11-22".encode
    yield Door(
        "review --answer",
        "text",
        cache(real_answer),
        answered,
        ("analysis.jurisdictions.review.answer", "analysis.jurisdictions.review.decision"),
        looks.anything,
    )

    def table_answered(given: Given) -> object:
        """The file that the answer goes to is changed."""
        forget_all()
        row = entries(queue.read_bytes()) | {"state_abbr": "NM", "name": "Nowhere", "level": "place"}
        path = given.project / review.path_of("list")
        before = (REPOSITORY / review.path_of("list")).read_bytes()
        path.write_bytes(given.content)
        try:
            cells = [
                "NM",
                "place",
                "Nowhere",
                "Santa Fe",
                "The page of the city says so.",
                "https://example.org",
                "2026-11-22",
            ]
            review.answer(row, cells)
            return corrections.read("names")
        finally:
            path.write_bytes(before)

    yield Door(
        "review --answer: names.csv",
        "csv",
        real.whole(REPOSITORY / review.path_of("list")),
        table_answered,
        ("analysis.jurisdictions.review.answer",),
        looks.frame,
    )

    def queued(given: Given) -> object:
        file = given.project / "data" / "processed" / "review_queue.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(given.content)
        return review.read_queue()

    yield Door(
        "data/processed/review_queue.csv",
        "csv",
        real.part(queue),
        queued,
        ("analysis.jurisdictions.review.read_queue",),
        looks.anything,
    )


# -- tables that stages wrote --------------------------------------------------------------------------------


def processed_doors() -> Iterator[Door]:
    from analysis import changes, downloads, flow_columns, ledger
    from analysis.models.multiverse import universe
    from analysis.provenance import read_output
    from analysis.refresh import comparing

    def put(given: Given, name: str) -> Path:
        file = given.project / "data" / "processed" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(given.content)
        forget_all()
        return file

    def output(
        name: str, read: Callable[[], object], reached: str, look: looks.Look = looks.anything, kind: str = ""
    ) -> Door:
        file = PROCESSED / name
        some = real.parquet(file) if file.suffix == ".parquet" else real.part(file)

        def enter(given: Given) -> object:
            put(given, name)
            return read()

        return Door(
            f"data/processed/{name}",
            kind or file.suffix[1:],
            some,
            enter,
            ("analysis.provenance.read_output", reached),
            look,
            real.whole(file),
            share=0.6,
        )

    def read(name: str, text: bool = False) -> Callable[[], object]:
        return lambda: read_output(name, as_text=text)

    yield output("estimates.csv", read("estimates.csv"), "analysis.provenance.read_output")
    yield output("vintages.csv", read("vintages.csv", True), "analysis.provenance.read_output")
    yield output("dollars_at_stake.csv", read("dollars_at_stake.csv"), "analysis.provenance.read_output")
    yield output("checks.csv", read("checks.csv", True), "analysis.provenance.read_output")
    yield output(
        "jurisdictions.csv",
        lambda: ledger.listings("main_list", "state"),
        "analysis.ledger.read_jurisdictions",
    )
    yield output(
        "roster_agencies.csv",
        lambda: ledger.read_ledger("roster_agencies.csv"),
        "analysis.ledger.read_ledger",
    )
    yield output(
        "county_287g.csv", lambda: ledger.agreements("2025-01-19", "county"), "analysis.ledger.agreements"
    )
    for level in ("county", "place", "state"):
        yield output(
            f"panel_{level}.parquet", partial(universe.load_level, level), "analysis.panel.load_panel"
        )
    yield output(
        "grant_flows.parquet",
        lambda: flow_columns.read_flows("reap-fy2021-2024"),
        "analysis.flow_columns.read_flows",
    )
    yield output("multiverse.parquet", read("multiverse.parquet"), "analysis.provenance.read_output")

    def before(given: Given) -> object:
        now = changes.text_table(real.part(PROCESSED / "vintages.csv")())
        return changes.row_changes(changes.text_table(given.content), now, ("government", "from", "to"))

    yield Door(
        "a table of an earlier commit",
        "csv",
        real.part(PROCESSED / "vintages.csv"),
        before,
        ("analysis.changes.text_table",),
        looks.anything,
    )

    def compared(given: Given) -> object:
        from analysis.refresh.rosters import COMPARED

        file = put(given, "compared.csv")
        old = comparing.read(file)
        return comparing.differences(old, old, COMPARED["roster.csv"])

    yield Door(
        "a vintage to compare with",
        "csv",
        real.part(RAW / "rosters" / "2025-05-28" / "roster.csv"),
        compared,
        ("analysis.refresh.comparing.read",),
        looks.anything,
    )

    def package(given: Given) -> object:
        folder = given.project / "export"
        folder.mkdir(exist_ok=True)
        (folder / downloads.PACKAGE).write_bytes(given.content)
        return sorted(downloads._earlier(folder))

    small = b'{"name": "listed-jurisdictions", "resources": [{"path": "estimates.csv", "bytes": 1}, {"path": "money/a.csv"}]}'
    yield Door(
        "datapackage.json",
        "json",
        cache(lambda: small),
        package,
        ("analysis.downloads.read_package",),
        looks.anything,
    )


# -- pages ---------------------------------------------------------------------------------------------------


def page_doors() -> Iterator[Door]:
    from analysis.rendering.page import read_page
    from analysis.rendering.site import read_site

    reports = REPOSITORY / "reports"

    def folder(given: Given) -> Path:
        own = given.project / "reports"
        for path in reports.glob("*.qmd"):
            if not (own / path.name).is_file():
                shutil.copyfile(path, own / path.name)
        return own

    def site(given: Given) -> object:
        own = folder(given)
        (own / "_quarto.yml").write_bytes(given.content)
        return read_site(own)

    yield Door(
        "reports/_quarto.yml",
        "yaml",
        real.whole(reports / "_quarto.yml"),
        site,
        ("analysis.rendering.site.read_site", "analysis.rendering.source.read_mapping"),
        looks.anything,
    )
    for name in ("findings", "money"):

        def page(given: Given, name: str = name) -> object:
            own = folder(given)
            (own / f"{name}.qmd").write_bytes(given.content)
            return read_page(own / f"{name}.qmd")

        yield Door(
            f"reports/{name}.qmd",
            "yaml",
            real.whole(reports / f"{name}.qmd"),
            page,
            (
                "analysis.rendering.page.read_page",
                "analysis.rendering.source.read_lines",
                "analysis.rendering.source.read_mapping",
            ),
            looks.anything,
        )

    def kept(given: Given) -> object:
        from analysis.rendering.cache import through

        store = given.project / ".render-cache"
        store.mkdir(exist_ok=True)
        (store / "findings.json").write_bytes(given.content)
        return through(store, [given.project / "reports" / "findings.qmd"], lambda: [[]])

    yield Door(
        "a page's kept results",
        "json",
        cache(lambda: b'{"key": "x", "results": [[{"kind": "text"}]]}'),
        kept,
        ("analysis.rendering.cache.through",),
        looks.anything,
        share=0.3,
    )


# -- what a refresh fetches ----------------------------------------------------------------------------------


def refresh_doors() -> Iterator[Door]:
    from analysis.refresh.command import Request, refresh

    def by_hand(
        name: str, kind: str, file: str, some: Callable[[], bytes | None], source: str, reaches: tuple[str, ...], *,
        vintage: str | None = None, beside: Callable[[], dict[str, bytes]] = dict, whole: Path | None = None, share: float = 1.0,
    ) -> Door:  # fmt: skip
        """A file that is read with --from, from its first bytes to the candidate that stages would read."""

        def enter(given: Given) -> object:
            folder = given.project / "by-hand"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(given.project / ".refresh", ignore_errors=True)
            folder.mkdir()
            (given.project / ".refresh").mkdir()
            shutil.rmtree(given.project / "data" / "raw" / "votes" / "2024", ignore_errors=True)
            contents = {file: given.content, **beside()}
            for other, content in contents.items():
                (folder / other).write_bytes(content)
            forget_all()
            files = tuple(folder / other for other in contents)
            request = Request(
                source, vintage=vintage, files=files, dry_run=True, because="a test", today="2026-11-22"
            )
            done = refresh(request)
            return done.state, dict(done.made.files), dict(done.made.rows)

        return Door(
            name, kind, some, enter, reaches, accepted, real.whole(whole) if whole else None, share=share
        )

    def accepted(value: tuple) -> str:
        """A candidate: its tables have the rows that it tells, and hold no bytes that a table cannot."""
        _, files, rows = value
        for name, count in rows.items():
            content = files[name]
            if isinstance(content, bytes) and len(table(content)) != count + 1:
                return f"{name} has {len(table(content)) - 1} rows, {count} are told"
        return ""

    sheets = (
        "analysis.refresh.sheets.read",
        "analysis.refresh.rosters.make",
        "analysis.refresh.sniffing.check",
        "analysis.refresh.archives.members",
    )
    book = ORIGINALS / "287g" / "participatingAgencies08042025pm.xlsx"
    yield by_hand(
        "refresh rosters: a workbook",
        "xlsx",
        "participatingAgencies08042025pm.xlsx",
        real.workbook(),
        "rosters",
        sheets,
        vintage="2025-08-06",
        whole=book,
        share=0.8,
    )
    listed = ("analysis.refresh.lists.make", "analysis.refresh.listed.lines_of")
    yield by_hand(
        "refresh lists: a page",
        "html",
        "page.html",
        cache(real.justice_page),
        "lists",
        (*listed, "analysis.refresh.pages.read"),
        vintage="doj-2025-09-01",
    )
    pdf = ORIGINALS / "lists" / "dhs-sanctuary-jurisdictions-archived-2025-05-31.pdf"
    yield by_hand(
        "refresh lists: a PDF",
        "pdf",
        "page.pdf",
        cache(real.pdf),
        "lists",
        (*listed, "analysis.refresh.listed.pdf_lines"),
        vintage="dhs-2025-06-02",
        whole=pdf,
        share=0.6,
    )
    yield by_hand(
        "refresh votes",
        "csv",
        "votes.csv",
        cache(real.votes),
        "votes",
        ("analysis.refresh.votes.make", "analysis.sources.reading.parse"),
        vintage="2024",
    )
    gazetteers = ("analysis.refresh.geography.make", "analysis.refresh.archives.member")
    yield by_hand("refresh geography", "zip", "2025_Gaz_counties_national.zip", cache(lambda: real.gazetteer("counties")), "geography", gazetteers,
                  beside=lambda: {"2025_Gaz_cousubs_national.zip": real.gazetteer("cousubs")})  # fmt: skip
    yield by_hand(
        "refresh money",
        "zip",
        "transactions.zip",
        fy2024,
        "money",
        ("analysis.refresh.money.make", "analysis.grants.run.write_flows"),
        vintage="fy2024",
        share=0.4,
    )
    yield from reply_doors()


@cache
def fy2024() -> bytes:
    """An archive of one fiscal year."""
    content = real.transactions("csv", 400)()
    header, *rows = table(content)
    year = header.index("action_date_fiscal_year")
    return real.zipped(
        [
            (
                "All_Assistance_PrimeTransactions_1.csv",
                real.to_csv([header, *[row for row in rows if row[year] == "2024"][:30]]),
            )
        ]
    )


def reply_doors() -> Iterator[Door]:
    """Replies of interfaces, and what stands around them."""
    import datetime

    import httpx

    from analysis.refresh import acs, census_cells, census_replies, client, jobs, parts, replies, usaspending
    from analysis.refresh.http import extent

    reply, fields = real.census_reply()
    county = census_replies.LEVELS[1]

    def figures(given: Given) -> object:
        path = given.project / "county-1.json"
        path.write_bytes(given.content)
        frame = census_replies.read_reply(path, county, fields, "")
        return census_replies.annotated(frame.drop(columns="NAME"), path.name)[0]

    yield Door(
        "refresh acs: figures",
        "json",
        cache(lambda: reply),
        figures,
        ("analysis.refresh.census_replies.read_reply", "analysis.refresh.answers.decoded"),
        looks.frame,
    )

    def labels_of() -> bytes:
        import json

        from tests.refresh.census_api import variables

        return json.dumps({"variables": variables()}).encode()

    def labels(given: Given) -> object:
        path = given.project / "variables-2024-acs5.json"
        path.write_bytes(given.content)
        cells = [cell for cell in census_cells.cells() if cell[0] in "BC"]
        return census_replies.read_labels(path, cells)

    yield Door(
        "refresh acs: variables.json",
        "json",
        cache(labels_of),
        labels,
        ("analysis.refresh.census_replies.read_labels",),
        looks.frame,
    )

    def survey(given: Given) -> object:
        """Every reply of a small country, one of them changed."""
        folder = given.project / "fetched"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(survey_replies(given.project), folder)
        (folder / "county-1.json").write_bytes(given.content)
        forget_all()
        return acs.make(folder, client.Wanted(today="2026-11-22"))

    yield Door(
        "refresh acs: a vintage",
        "json",
        lambda: SURVEY_REPLY(),
        survey,
        ("analysis.refresh.acs.make", "analysis.refresh.acs.read_level", "analysis.refresh.acs.read_part"),
        looks.anything,
        share=0.15,
    )

    spending = ORIGINALS / "usaspending"

    def one(name: str, file: Path, read: Callable[[Path], object], reached: str, otherwise: bytes) -> Door:
        def enter(given: Given) -> object:
            path = given.project / file.name
            path.write_bytes(given.content)
            return read(path)

        return Door(
            name,
            "json",
            lambda: real.whole(file)() or otherwise,
            enter,
            (reached, "analysis.refresh.usaspending.answer"),
            looks.anything,
        )

    agency = b'{"results": [{"toptier_code": "012", "agency_id": 1, "agency_name": "A"}]}'
    yield one(
        "refresh money: agencies",
        spending / "response_toptier_agencies.json",
        usaspending.agencies,
        "analysis.refresh.usaspending.agencies",
        agency,
    )
    status = b'{"status": "finished", "file_name": "x.zip", "total_size": 112.4, "total_rows": 15}'

    def sized(path: Path) -> object:
        from analysis.refresh import money

        zipped = path.with_name("transactions.zip")
        zipped.write_bytes(b"x" * 112_422)
        jobs.check_size(zipped, path)
        return money.check_rows(
            money.Sums(15, Decimal(0), frozenset({2024}), frozenset(), pd.DataFrame()), path, zipped
        )

    yield one(
        "refresh money: a job's status",
        spending / "response_download_status.json",
        sized,
        "analysis.refresh.jobs.check_size",
        status,
    )

    for name in ("count", "agencies-1", "recipient-county", "place_of_performance-state"):

        def totals(given: Given, name: str = name) -> object:
            folder = given.project / "fetched"
            folder.mkdir(exist_ok=True)
            for other, content in total_replies().items():
                (folder / other).write_bytes(content)
            (folder / f"{name}.json").write_bytes(given.content)
            return usaspending.read_totals(folder)

        yield Door(
            f"refresh money: {name}",
            "json",
            lambda name=name: total_replies()[f"{name}.json"],
            totals,
            ("analysis.refresh.usaspending.read_totals", "analysis.refresh.usaspending.amounts"),
            looks.anything,
            share=0.5,
        )

    def job(given: Given) -> object:
        """The answers that a fetch reads between its requests."""
        web = Saved(given.project / "web", given.content)
        asked = usaspending.Asked(2024, ("02", "03", "04", "05"))
        match given.draw.randrange(4):
            case 0:
                return usaspending.grant_types(web)
            case 1:
                return usaspending.pages(web, "agencies", "x", {})
            case 2:
                return jobs.archived(web, asked, "all", "")
            case _:
                return jobs.waited(web, web.folder / "job.json", "x.zip")

    answers = (
        b'{"grants": {"02": "a", "03": "b", "04": "c", "05": "d"}, "page_metadata": {"page": 1, "hasNext": false}, "limit": 100,'
        + (
            b'"status": "finished", "file_name": "x.zip", "file_url": "https://files.usaspending.gov/x.zip",'
            b'"monthly_files": [{"file_name": "FY2024_All_Assistance_Full_20260506.zip", "url": "https://files.usaspending.gov/y.zip"}]}'
        )
    )
    yield Door(
        "refresh money: a job",
        "json",
        cache(lambda: answers),
        job,
        ("analysis.refresh.usaspending.answer",),
        looks.anything,
    )

    def headers(given: Given) -> object:
        lines = given.content.split(b"\n")
        pairs = [tuple(part.strip() for part in line.split(b":", 1)) for line in lines if b":" in line]
        said = httpx.Response(
            given.draw.choice((200, 206, 301, 403, 429, 500)),
            headers=[p for p in pairs if p[0]],
            content=lines[-1],
        )
        now = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
        found = (replies.retry_after(said, now), extent(said), replies.words(said))
        try:
            replies.check_status(said, "https://www.ice.gov/a")
        except replies.LaterError:
            return found
        return replies.target("https://www.ice.gov/a", said, ("www.ice.gov",), "html", "GET")

    sent = b"retry-after: 120\ncontent-length: 500\ncontent-range: bytes 0-499/1000\nlocation: https://www.ice.gov/b\ncontent-type: text/plain\n\nslow down"
    yield Door(
        "a reply's headers",
        "text",
        cache(lambda: sent),
        headers,
        (
            "analysis.refresh.replies.retry_after",
            "analysis.refresh.http.extent",
            "analysis.refresh.replies.words",
        ),
        looks.anything,
    )

    def noted(given: Given) -> object:
        folder = given.project / "notes"
        folder.mkdir(exist_ok=True)
        for name in (parts.NOTES, "a.part.json"):
            (folder / name).write_bytes(given.content)
        held = parts.Held(folder, parts.Asked("https://www.ice.gov/a", "a", "html", 100))
        (folder / "a.part").write_bytes(b"x")
        from analysis.refresh.states import fetched_from

        return (parts.notes(folder), held.validator(), held.resumable(), fetched_from(folder, "a"))

    notes = b'{"a": {"url": "https://www.ice.gov/a", "sha256": "00", "etag": "x"}, "etag": "y", "asked": "z", "last_modified": ""}'
    yield Door(
        "notes of a fetch",
        "json",
        cache(lambda: notes),
        noted,
        ("analysis.refresh.parts.notes", "analysis.refresh.parts.stamp"),
        looks.anything,
    )


class Saved:
    """A web whose every reply is the same; it waits for nothing."""

    def __init__(self, folder: Path, content: bytes) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.folder, self.content, self.saved = folder, content, set()
        (folder / "job.json").write_bytes(b"{}")

    def save(self, url: str, name: str, **_: object) -> Path:
        from analysis.refresh.faults import FetchError

        if len(self.saved) > 3:
            raise FetchError("unreachable", "enough")
        self.saved.add(f"{name} {len(self.saved)}")
        (self.folder / name).write_bytes(self.content)
        return self.folder / name

    def say(self, text: str) -> None:
        from analysis.refresh.faults import FetchError

        raise FetchError("not ready", text)


@cache
def total_replies() -> dict[str, bytes]:
    """What the interface adds up of some real rows."""
    import json

    from analysis.refresh.usaspending import SCOPES
    from tests.refresh.publisher import Seen
    from tests.refresh.usaspending_api import SpendingApi

    header, *rows = table(real.transactions("csv", 60)())
    api = SpendingApi(header, [dict(zip(header, row, strict=True)) for row in rows])

    def asked(**body: object) -> Seen:
        return Seen("POST", "", {}, {}, json.dumps(body).encode())

    found = {
        "count.json": {"calculated_count": len(rows)},
        "agencies-1.json": api.by_agency(asked(limit=100, page=1)),
    }
    for ours, scope in SCOPES.items():
        for layer in ("state", "county"):
            found[f"{ours}-{layer}.json"] = api.geography(asked(scope=scope, geo_layer=layer))
    return {name: json.dumps(content).encode() for name, content in found.items()}


@cache
def survey_replies(project: Path) -> Path:
    """Every reply of the Census API for the fixture's states, in a folder."""
    from analysis.refresh import acs, census_cells, census_replies
    from tests.refresh.census_api import BASE, KEY, CensusApi, units_of
    from tests.refresh.publisher import Seen

    residents = {code: 40_000 + number for number, code in enumerate(sorted(fixture_counties()))}
    api, folder = CensusApi(2024, units_of(residents)), project / "replies"
    folder.mkdir(exist_ok=True)
    parts = census_replies.chunks(census_cells.cells())
    for chunk in parts:
        labels = api.labels(Seen("GET", "", {"key": [KEY]}, {}, b""))
        (folder / census_replies.variables_capture(2024, chunk.dataset)).write_bytes(labels.body)
    for level, state, chunk in acs.requests(parts):
        asked = level.asked(state)
        query = {"get": [",".join(chunk.fields())], "for": [asked["for"]], "key": [KEY]}
        query |= {"in": [asked["in"]]} if "in" in asked else {}
        answer = api.figures(Seen("GET", BASE.format(2024), query, {}, b""))
        (folder / census_replies.capture(level, state, chunk)).write_bytes(answer.body)
    return folder


def fixture_counties() -> list[str]:
    with (FIXTURE / "data/raw/geography/2024/county_geography.csv").open(
        encoding="utf-8", newline=""
    ) as stream:
        return [row["GEOID"] for row in csv.DictReader(stream) if row["GEOGRAPHY"] != "legacy"]


def SURVEY_REPLY() -> bytes:  # noqa: N802
    from analysis.provenance import root

    return (survey_replies(root()) / "county-1.json").read_bytes()


# -- grants --------------------------------------------------------------------------------------------------


def grant_doors() -> Iterator[Door]:
    from analysis.grants.run import write_flows

    for form, kind, reached in (
        ("csv", "csv", ("analysis.grants.files.header", "analysis.grants.engines.read_with_duckdb")),
        ("legacy", "csv", ("analysis.grants.files.header", "analysis.grants.files.blocks")),
        (
            "zip",
            "zip",
            (
                "analysis.grants.files.members",
                "analysis.grants.files.open_bytes",
                "analysis.grants.files.opened",
            ),
        ),
        ("parquet", "parquet", ("analysis.grants.files.parquet_columns",)),
    ):

        def flows(given: Given, form: str = form) -> object:
            file = given.project / f"transactions.{form}"
            file.write_bytes(given.content)
            out = given.project / "flows.parquet"
            before = given.draw.choice((None, None, "2024-01-01"))
            write_flows([file], out, before=before, memory="256MB")
            return pd.read_parquet(out)

        yield Door(
            f"flows: {form}",
            kind,
            real.transactions(form),
            flows,
            ("analysis.grants.files.open_bulk", *reached),
            flows_look,
            share=0.5,
        )


def flows_look(value: pd.DataFrame) -> str:
    """Flows: a bucket or a code, a year, the same sum in both scopes."""
    codes = value["county_geoid"].str.fullmatch(r"[0-9]{5}|[a-z_]+|(retired|ct_legacy)_[0-9]{5}")
    if not codes.all():
        return f"{value.loc[~codes, 'county_geoid'].iloc[0]!r} is no county and no bucket"
    sums = [group["obligations_usd"].sum() for _, group in value.groupby("scope")]
    return "" if len(set(sums)) <= 1 else f"sums by scope: {sums}"


GROUPS = (raw_doors, hand_doors, name_doors, processed_doors, page_doors, refresh_doors, grant_doors)
DOORS: tuple[Door, ...] = tuple(door for group in GROUPS for door in group())
