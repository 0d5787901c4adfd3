"""The explorer's facts as the file holds them: every unit and every field against the stages' tables."""

from __future__ import annotations

import doctest
import html
import json
import re

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.explorer import columns as columns_module
from analysis.explorer import layers as layers_module
from analysis.explorer import outlines, page, records, units
from analysis.explorer.columns import FACTOR_EDGES, HELD, LISTED, Column, columns
from analysis.explorer.layers import binned, distinct, fifths
from analysis.maps import decode
from analysis.sources.geography import read_boundaries
from tests.conftest import REPOSITORY

PROCESSED = REPOSITORY / "data" / "processed"


@pytest.fixture(autouse=True)
def _repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))


@pytest.fixture(scope="module")
def held(explorer_page) -> dict:
    """What the file itself holds, read as a reader of its source would."""
    text = explorer_page.read_text(encoding="utf-8")
    (found,) = re.findall(r'<script type="application/json" id="facts">(.*?)</script>', text, re.S)
    return json.loads(found)


def text_table(name: str) -> pd.DataFrame:
    return pd.read_csv(PROCESSED / name, dtype=str, keep_default_na=False)


def unpacked(packed: dict) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: [each["texts"][at] for at in each["at"]] if "at" in each else each["texts"]
            for name, each in packed.items()
        }
    )


@pytest.mark.parametrize("module", [columns_module, layers_module, page, records, units])
def test_examples(module) -> None:
    tried = doctest.testmod(module)
    assert tried.attempted >= 1 and tried.failed == 0


def test_the_committed_tables_are_those_of_the_page(explorer: tuple) -> None:
    table, bins = explorer[:2]
    committed = pd.read_parquet(PROCESSED / "explorer.parquet")
    assert len(table) == len(committed) > 6000
    pd.testing.assert_frame_equal(table, committed, check_dtype=False, rtol=1e-7)
    pd.testing.assert_frame_equal(
        bins, pd.read_csv(PROCESSED / "explorer_bins.csv").astype({"bin": "Int64"}), check_dtype=False
    )


def test_every_value_is_that_of_its_table(held: dict) -> None:
    """All units, all columns and margins, from the text of the file."""
    predictions = pd.read_parquet(PROCESSED / "predictions.parquet")
    compared, described = 0, {column["name"]: column for column in held["columns"]}
    for level in ("county", "place", "state"):
        own, keys = held["levels"][level], held["levels"][level]["keys"]
        panel = pd.read_parquet(PROCESSED / f"panel_{level}.parquet").loc[keys]
        panel = panel.join(predictions[["probability", "conf_low", "conf_high", "surprise"]])
        assert own["names"] == panel["name"].tolist()
        for kind, names in (("", own["values"]), ("_moe", own["margins"])):
            for name, text in names.items():
                if f"{name}{kind}" not in panel:
                    assert name.startswith(("list_", "roster_", "odds_")), name
                    continue
                column = described[name]
                cells = list(text) if "choices" in column else text.split(",")
                expected = panel[f"{name}{kind}"]
                assert len(cells) == len(expected)
                compared += len(cells)
                if "choices" in column:
                    assert cells == ["-" if pd.isna(v) else str(int(v)) for v in expected]
                    continue
                percent = column["suffix"] in (" %", " points")
                printed = [None if cell == "" else float(cell) for cell in cells]
                wanted = [
                    None if pd.isna(v) else float(f"{100 * v if percent else v:.{column['decimals']}f}")
                    for v in expected
                ]
                assert printed == wanted, name
    assert compared > 150_000


def test_listings_are_the_ledgers_own(held: dict) -> None:
    seen = 0
    for level in ("county", "place", "state"):
        own = held["levels"][level]
        panel = pd.read_parquet(PROCESSED / f"panel_{level}.parquet").loc[own["keys"]]
        for name, each in held["lists"].items():
            suffix = each["vintage"].replace("-", "_")
            places = pd.Series(list(own["values"][name]), panel.index).astype(int)
            assert ((places >= 2) == (panel[f"is_listed_{suffix}"] == 1)).all()
            inside = panel.get(f"has_listed_place_{suffix}", pd.Series(0, panel.index)) == 1
            assert ((places % 2 == 1) == inside).all()
            seen += int((places >= 2).sum())
    assert seen > 1000 and len(LISTED) == 4


def test_agreements_are_those_of_the_county_table(held: dict) -> None:
    rows = pd.read_csv(PROCESSED / "county_287g.csv", dtype={"geoid": str, "roster": str})
    counties = held["levels"]["county"]
    for name, day in held["rosters"].items():
        own = rows[rows["roster"] == day].set_index("geoid")["task_force"]
        expected = ["0" if key not in own.index else "2" if own[key] > 0 else "1" for key in counties["keys"]]
        assert list(counties["values"][name]) == expected
    assert len(held["rosters"]) == 13 and len(HELD) == 3
    places, agencies = held["levels"]["place"], text_table("roster_agencies.csv")
    settled = agencies[(agencies["needs_review"] == "false") & agencies["unit"].isin(["place", "cousub"])]
    assert set(settled["geoid"]) <= set(places["keys"]), "every place with an agreement has a page"
    last = settled[settled["roster"] == "2026-05-18"]
    flags = dict(zip(places["keys"], places["values"]["roster_2026_05_18"], strict=True))
    assert {key for key, flag in flags.items() if flag != "0"} == set(last["geoid"])


def test_every_entry_is_on_a_page(held: dict) -> None:
    ledger, entries = text_table("jurisdictions.csv"), unpacked(held["records"]["entries"])
    keys = {key for level in held["levels"].values() for key in level["keys"]}
    known = keys | set(held["others"])
    assert len(entries) == len(ledger) > 1300
    for column, name in (
        ("text", "text_as_published"),
        ("note", "note"),
        ("read_as", "name"),
        ("basis", "basis"),
    ):
        assert entries[column].tolist() == ledger[name].tolist()
    for codes, row in zip(entries["codes"], ledger.to_dict("records"), strict=True):
        pages = [code for code in codes.split(";") if code in keys]
        assert pages, row["text_as_published"]
        if row["needs_review"] == "true" or not row["geoid"]:
            assert any(code.startswith("entry-") for code in pages)
        else:
            assert {row["geoid"], *filter(None, row["also_geoids"].split(";"))} <= known
    assert all(target in keys for target in held["others"].values())


def test_money_is_that_of_the_table(held: dict) -> None:
    rows, shown = text_table("dollars_at_stake.csv"), unpacked(held["records"]["money"])
    assert len(rows) == len(shown) > 4000
    for amount, text in zip(rows["amount_usd"], shown["amount"], strict=True):
        digits = text.replace("$", "").replace(",", "")
        assert (amount == "") == (text == "")
        assert not amount or abs(float(digits) - float(amount)) <= (
            0.5 if abs(float(amount)) >= 10_000 else 0.005
        )
    assert shown["reason"].tolist() == rows["reason"].tolist()


def test_one_government_links_its_pages(held: dict) -> None:
    also = {}
    for level in held["levels"].values():
        codes = unpacked({"also": level["also_geoids"]})["also"]
        also |= dict(zip(level["keys"], codes, strict=True))
    assert also["06075"] == "0667000" and also["0667000"] == "06075"
    assert set(also["11001"].split(";")) == {"1150000", "11"}
    assert also["51600"] and also["08031"] == "0820000"
    both = [(key, code) for key, codes in also.items() for code in codes.split(";") if code in also]
    assert len(both) > 80
    assert [pair for pair in both if pair[0] not in also[pair[1]].split(";") and len(pair[1]) > 2] == []


def test_neighbours_are_those_of_the_adjacency(held: dict) -> None:
    pairs = pd.read_csv(REPOSITORY / "data/raw/geography/2024/county_adjacency.csv", dtype=str)
    keys = held["levels"]["county"]["keys"]
    known = set(keys)
    expected = {
        tuple(sorted(pair))
        for pair in pairs[["GEOID", "NEIGHBOR_GEOID"]].itertuples(index=False, name=None)
        if set(pair) <= known and pair[0] != pair[1]
    }
    shown = {(keys[at], keys[other]) for at, row in enumerate(held["neighbours"]["county"]) for other in row}
    assert shown == expected and len(shown) > 9000


def test_layers_count_every_county_once(held: dict) -> None:
    n = len(held["levels"]["county"]["keys"])
    assert len(held["layers"]) > 30
    for layer in held["layers"]:
        assert sum(layer["counts"]) + layer["missing"] == n == 3144
        bins = layer.get("bins") or held["levels"]["county"]["values"][layer["column"]]
        for at, count in enumerate(layer["counts"]):
            assert bins.count(str(at)) == count
        assert bins.count("-") == layer["missing"]
        assert len(set(layer["colours"])) == len(layer["labels"]) == len(layer["counts"])


def test_a_bin_holds_what_its_edges_say(held: dict, explorer: tuple) -> None:
    described = {column["name"]: column for column in held["columns"]}
    bins, seen = explorer[1].dropna(subset=["low"]), 0
    for layer in held["layers"]:
        edges = bins[bins["layer"] == layer["name"]]
        if edges.empty:
            continue
        assert described[layer["column"]]["decimals"] >= 0
        values = held["levels"]["county"]["values"][layer["column"]].split(",")
        lows, highs, last = edges["low"].tolist(), edges["high"].tolist(), len(edges) - 1
        for at, value in zip(layer["bins"], values, strict=True):
            if at == "-":
                assert value == ""
                continue
            assert lows[int(at)] <= float(value) and (float(value) < highs[int(at)] or int(at) == last)
            seen += 1
    assert seen > 50_000


def test_surprise_is_binned_by_listing_and_probability(held: dict) -> None:
    (layer,) = (each for each in held["layers"] if each["name"] == "surprise")
    values = held["levels"]["county"]["values"]
    seen = set()
    for at, listed, p in zip(
        layer["bins"], values["list_dhs_2025_05_31"], values["probability"].split(","), strict=True
    ):
        if p == "":
            assert at == "-"
            continue
        label = layer["labels"][int(at)]
        assert label.startswith("listed" if int(listed) >= 2 else "not listed")
        p, words = float(p), re.findall(r"\d+", label)
        bounds = {"or more": lambda p, a: p >= int(a[0]), "below": lambda p, a: p < int(a[0])}
        rule = next(
            (rule for word, rule in bounds.items() if word in label), lambda p, a: int(a[0]) <= p < int(a[1])
        )
        assert rule(p, words), (label, p)
        seen.add(at)
    assert len(seen) == 7


def test_the_log_odds_are_the_averages_and_the_blocks() -> None:
    table = pd.read_parquet(PROCESSED / "predictions.parquet")
    blocks = table.filter(like="log_odds_")
    finite = table["probability"].between(1e-6, 1 - 1e-6)
    logit = lambda p: np.log(p / (1 - p))  # noqa: E731
    parts = logit(table["probability_at_average"]) + blocks.fillna(0).sum(axis=1)
    assert finite.sum() > 12_000
    np.testing.assert_allclose(parts[finite], logit(table["probability"])[finite], atol=2e-4)
    np.testing.assert_allclose(table["surprise"], table["is_listed"] - table["probability"], atol=1e-7)
    main = pd.read_csv(PROCESSED / "improbable.csv", dtype={"geoid": str})
    main = main[main["vintage"] == "dhs-2025-05-31"].dropna(subset="probability").set_index("geoid")
    np.testing.assert_allclose(table.loc[main.index, "probability"], main["probability"], rtol=1e-6)
    np.testing.assert_allclose(table.loc[main.index, "conf_low"], main["conf_low"], rtol=1e-5)


def test_effects_on_the_odds_are_those_of_the_predictions(held: dict) -> None:
    table = pd.read_parquet(PROCESSED / "predictions.parquet")
    compared = 0
    for level in ("county", "place", "state"):
        own = held["levels"][level]
        for name, text in own["values"].items():
            if not name.startswith("odds_"):
                continue
            added = table[f"log_{name}"].reindex(own["keys"])
            for flag, value in zip(text, added, strict=True):
                assert (flag == "-") == pd.isna(value)
                if flag != "-":
                    edges = (0, *FACTOR_EDGES, np.inf)
                    assert edges[int(flag)] <= np.exp(value) < edges[int(flag) + 1]
                    compared += 1
    assert compared > 20_000


def test_outlines_are_the_boundaries_on_a_coarser_grid(explorer: tuple) -> None:
    topology = explorer[3]
    codes = explorer[0].index[explorer[0]["level"] == "county"]
    was, now = decode(read_boundaries("2023"), "counties"), decode(topology, "counties")
    assert len(now) == len(codes) == 3144
    for at, code in enumerate(codes):
        before, after = np.concatenate(was[code]), np.concatenate(now[str(at)])
        for side in (np.min, np.max):
            assert np.abs(side(before, axis=0) - side(after, axis=0)).max() <= outlines.GRID


def test_outlines_keep_ends_and_say_what_is_absent() -> None:
    topology = {
        "arcs": [[[0, 0], [0.01, 0.01], [1, 0], [1, 1], [0, 0]], [[5, 5], [5.001, 5]]],
        "objects": {"counties": {"geometries": [{"type": "Polygon", "id": "01001", "arcs": [[0]]}]},
                    "states": {"geometries": [{"type": "Polygon", "id": "01", "arcs": [[0]]}]}},
    }  # fmt: skip
    made = outlines.on_grid(topology, ["01001"], ["01", "02"])
    assert made["arcs"][0][0] == [0, 0] and np.sum(made["arcs"][0], axis=0).tolist() == [0, 0]
    assert len(made["arcs"][0]) == 4 and len(made["arcs"][1]) == 2
    with pytest.raises(DataError, match="no boundary of 01003"):
        outlines.on_grid(topology, ["01001", "01003"], ["01"])


def test_bins_of_ties_and_single_values() -> None:
    column = Column("x", "X", "Size")
    values = pd.Series([0.0, 0, 0, 0, 7, np.nan])
    edges = fifths(column, values)
    layer = binned("x_fifths", column, values, edges, ("#000000",) * 5, (0,), "w")
    assert sum(layer.counts()) == 5 and layer.missing() == 1
    same = binned("x_fifths", column, pd.Series([3.0, 3.0]), distinct([3.0, 3.0]), ("#000000",), (0,), "w")
    assert same.counts() == [2]


def test_the_page_has_the_sites_navigation(explorer_page) -> None:
    text = explorer_page.read_text(encoding="utf-8")
    assert '<a href="explorer.html" aria-current="page">Explorer</a>' in text
    assert "ledger.html" in text and html.escape("Listed jurisdictions") in text
    for word in ("is a sanctuary", "are sanctuaries", "sanctuary jurisdiction"):
        assert word not in text.split('<script type="application/json"')[0].lower()


def test_names_in_columns_are_unique() -> None:
    labels = [column.label for column in columns().values()]
    assert len(set(labels)) == len(labels) > 50
