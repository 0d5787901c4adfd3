"""What is written by hand: decisions, parameters, the catalogue, and the files that name the project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, partial

import pandas as pd

from tests.conftest import FIXTURE, REPOSITORY, forget
from tests.doors import looks, real
from tests.doors.engine import Door, Given
from tests.doors.real import PROCESSED


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
        forget()

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
        forget()
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
        forget()
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
