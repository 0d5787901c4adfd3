"""What looks wrong in a vintage of the American Community Survey as a whole, a sentence each for a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from analysis.provenance import raw_file, read_origin, read_param
from analysis.refresh.census_cells import plain
from analysis.sources import acs
from analysis.sources.geography import read_counties


def wrong_counties(residents: pd.Series, year: int) -> Iterator[str]:
    """A sentence where the counties are not those of the gazetteer, as they are since 2022."""
    known = read_counties(read_param("vintages")["geography"])
    expected = set(known.index[known["GEOGRAPHY"] != "legacy"])
    lacking, strange = sorted(expected - set(residents.index)), sorted(set(residents.index) - expected)
    if year >= 2022 and (lacking or strange):
        said = [f"without {', '.join(lacking[:5])}"] if lacking else []
        said += [f"with {', '.join(strange[:5])}"] if strange else []
        yield (
            f"wrong number of rows: {len(residents):,} counties where the gazetteer has {len(expected):,},"
            f" {' and '.join(said)}."
        )


def repeated(residents: pd.Series, before: str | None, period: str) -> Iterator[str]:
    """A sentence where every county has the residents of another period."""
    if before is None or before.startswith(period):
        return
    old = acs.read(before)
    both = old.index.intersection(residents.index)
    if "B01003_001E" in old and len(both) and (old.loc[both, "B01003_001E"] == residents[both]).all():
        yield f"every county has the residents of {before}: the replies may be of that vintage."


def wrong_sums(residents: Mapping[str, pd.Series]) -> Iterator[str]:
    """A sentence for each pair of levels whose residents do not add up, since rows are missing then."""
    for part, whole, digits in (("county", "state", 2), ("county_subdivision", "county", 5)):
        sums = residents[part].groupby(residents[part].index.str[:digits]).sum()
        odd = sums.reindex(residents[whole].index).fillna(0) != residents[whole]
        if odd.any():
            unit = odd.index[odd][0]
            yield (
                f"wrong number of rows: the residents of {int(odd.sum()):,} units of {whole}.csv are not"
                f" those of their rows in {part}.csv, first {unit}: {residents[whole][unit]:,.0f} and"
                f" {sums.get(unit, 0):,.0f}."
            )


def moved_labels(labels: pd.DataFrame, before: str | None) -> Iterator[str]:
    """A sentence for each label that says another thing than in the vintage before."""
    if not before or "variables.csv" not in read_origin("acs", before)["files"]:
        return
    old = pd.read_csv(raw_file("acs", before, "variables.csv").path, dtype="str").set_index("column")["label"]
    new = labels.set_index("column")["label"]
    for name in new.index.intersection(old.index):
        if plain(old[name]) != plain(new[name]):
            yield f"label changed: {name} was {old[name]!r} and is {new[name]!r}."
