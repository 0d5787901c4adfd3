"""What a multiverse says: medians and shares by family, by choice, of each headline, and what moves it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.models.multiverse.cells import NUMBERS, Cell
from analysis.models.multiverse.curve import named
from analysis.models.multiverse.declaration import CHOICES, Multiverse, family, identifier
from analysis.models.multiverse.inference import LEVEL
from analysis.models.multiverse.lattice import masks
from analysis.provenance import root

CURVE = ["focal", "level", "family"]  # what is never pooled
COUNTS = ("n", "events", "clusters")
WITH = "with_"
NAMES = ("focal", "family", *CHOICES)
ALL, COMBINATIONS = "all choices", "combinations"
HEADLINE = ["headline", "text", "level", "family", "holds", "specifications", "conf_low", "conf_high"]
HEADLINE += ["moved_most_by", "share_of_variance"]
Z = 1.959963984540054
SHARES = ("positive_share", "significant_positive_share", "significant_negative_share")


def specifications(
    declared: Multiverse, found: Iterable[tuple[dict[str, str], dict[str, Cell]]]
) -> pd.DataFrame:
    """One row a specification, every choice a column; index `id`.

    Parameters
    ----------
    found : each cell's choices, with each focal variable's curve. `with_<control>` is missing for the focal
        variable itself.

    Raises
    ------
    DataError : two specifications of one id.
    """
    keys, curves, ids, held = [], [], [], []
    for choices, cell in found:
        for focal, each in cell.items():
            controls = declared.beside(focal)
            keys.append((focal, family(choices), *choices.values()))
            curves.append(each)
            ids += [identifier(focal, choices, subset) for subset in named(controls)]
            held.append(with_each(declared, controls))
    sizes = [len(each.status) for each in curves]
    columns = np.repeat(np.array(keys, dtype=object), sizes, axis=0).T
    table = pd.DataFrame(
        {name: pd.array(column, dtype="str") for name, column in zip(NAMES, columns, strict=True)}
    )
    for name, column in zip(declared.controls, np.concatenate(held).T, strict=True):
        table[f"{WITH}{name}"] = pd.arrays.BooleanArray(column == 1, column < 0)
    numbers = np.concatenate([each.numbers for each in curves], axis=1)
    table = table.assign(**dict(zip(NUMBERS, numbers, strict=True)))
    table["status"] = pd.array(np.concatenate([each.status for each in curves]), dtype="str")
    table.index = pd.Index(ids, name="id", dtype="str")
    if table.index.has_duplicates:
        doubled = table.index[table.index.duplicated()][0]
        raise DataError(f"two specifications have the id {doubled}.", remedy="lengthen the ids.")
    return table.astype(dict.fromkeys(COUNTS, "Int64"))


def with_each(declared: Multiverse, controls: tuple[str, ...]) -> np.ndarray:
    """For each subset which declared controls it holds, (2^k, declared controls): 1, 0, and -1 for the focal
    variable, which is none."""
    out = np.full((2 ** len(controls), len(declared.controls)), -1, dtype=np.int8)
    out[:, [declared.controls.index(name) for name in controls]] = masks(len(controls))
    return out


def by_family(table: pd.DataFrame, declared: Multiverse) -> pd.DataFrame:
    """One row a focal variable and family: how many were declared, drawn and fitted, and their spread."""
    counts, out = declared_cells(declared), []
    for (focal, level, name), group in table.groupby(CURVE, sort=False):
        subsets = 2 ** len(declared.beside(focal))
        fine = group[group["status"] == "ok"]
        out.append(
            {"focal": focal, "level": level, "family": name}
            | {"declared": int(counts[(level, name)]) * subsets, "drawn": len(group)}
            | described(fine)
        )
    return pd.DataFrame(out)


def declared_cells(declared: Multiverse) -> pd.Series:
    """How many cells were declared, by level and family."""
    return pd.Series([(cell["level"], family(cell)) for cell in declared.every_cell]).value_counts()


def described(fine: pd.DataFrame) -> dict[str, float]:
    """Median and quartiles of the estimates, and the shares by sign and significance at 5 %."""
    estimate, effect = (fine[name].to_numpy(dtype=float) for name in ("estimate", "effect"))
    significant = fine["p_value"].to_numpy(dtype=float) < LEVEL
    spread = np.quantile(estimate, [0.0, 0.25, 0.5, 0.75, 1.0]) if len(fine) else np.full(5, np.nan)
    shares = (estimate > 0, (estimate > 0) & significant, (estimate < 0) & significant)
    return {
        "fitted": len(fine),
        **dict(zip(("least", "lower_quartile", "median", "upper_quartile", "most"), spread, strict=True)),
        "median_effect": np.median(effect) if len(fine) else np.nan,
        **{name: each.mean() if len(fine) else np.nan for name, each in zip(SHARES, shares, strict=True)},
    }


def by_choice(table: pd.DataFrame, declared: Multiverse) -> pd.DataFrame:
    """One row a focal variable, family, choice and value: the specifications that take it."""
    fine, out = table[table["status"] == "ok"], []
    for key, group in fine.groupby(CURVE, sort=False):
        for choice in choices_of(group, declared):
            for value, some in group.groupby(choice, sort=False):
                out.append(
                    dict(zip(CURVE, key, strict=True))
                    | {"choice": choice, "value": str(value)}
                    | described(some)
                )
    return pd.DataFrame(out)


def choices_of(group: pd.DataFrame, declared: Multiverse) -> list[str]:
    """The choices that take more than one value among these specifications."""
    names = [*CHOICES, *(f"{WITH}{name}" for name in declared.controls)]
    return [name for name in names if len(group[name].unique()) > 1]


def decomposition(table: pd.DataFrame, declared: Multiverse) -> pd.DataFrame:
    """How much of the variance of the estimates each choice accounts for, by focal variable and family.

    Least squares of the estimates on all choices, each value an indicator. A choice's `share` is the part of
    the total sum of squares that is lost without it; `all choices` is what they explain together, and the
    rest, which hangs on their combinations, is `combinations`. Choices are drawn almost independently, so
    that the shares almost add up.
    """
    fine, out = table[table["status"] == "ok"], []
    for key, group in fine.groupby(CURVE, sort=False):
        shares = explained(group, choices_of(group, declared), group["estimate"].to_numpy(dtype=float))
        out += [
            dict(zip(CURVE, key, strict=True)) | {"choice": name, "share": share}
            for name, share in shares.items()
        ]
    return pd.DataFrame(out, columns=[*CURVE, "choice", "share"])


def explained(group: pd.DataFrame, names: list[str], y: np.ndarray) -> dict[str, float]:
    """The share of the variance of y (m,) that each choice accounts for, that all do, and the rest; nothing
    where y does not vary. To eight decimals: each is a difference of two sums of squares, so that its last
    digits are noise, by which shares that are equal would differ."""
    total = ((y - y.mean()) ** 2).sum()
    if not names or total <= 1e-20 * (y**2).sum():
        return {}
    blocks = {name: indicators(group[name]) for name in names}
    rest = residual(blocks, y)
    alone = {name: residual({other: blocks[other] for other in names if other != name}, y) for name in names}
    shares = {name: max((without - rest) / total, 0.0) for name, without in alone.items()}
    shares |= {ALL: 1 - rest / total, COMBINATIONS: rest / total}
    return {name: round(share, 8) for name, share in shares.items()}


def indicators(values: pd.Series) -> np.ndarray:
    """A centred 0/1 column for each value but the first, (m, values - 1)."""
    codes = pd.factorize(values)[0]
    columns = (codes[:, None] == np.arange(1, codes.max() + 1)).astype(float)
    return columns - columns.mean(axis=0)


def residual(blocks: dict[str, np.ndarray], y: np.ndarray) -> float:
    """The residual sum of squares of y on a constant and the blocks' columns."""
    rest = y - y.mean()
    if blocks:
        X = np.column_stack(list(blocks.values()))
        rest = rest - X @ np.linalg.lstsq(X, rest, rcond=None)[0]
    return float(rest @ rest)


def headlines(table: pd.DataFrame, declared: Multiverse) -> pd.DataFrame:
    """One row a headline, level and family: in how many of how many specifications it holds.

    `conf_low` and `conf_high` are `limits` of the share in which it holds. `moved_most_by` is the choice that
    accounts for most of the variance of whether it holds (`explained`), or those that tie, and
    `share_of_variance` how much each does; both empty where it holds in all or in none.

    Raises
    ------
    DataError : a headline's query cannot be asked of the table.
    """
    fine, out, counts = table[table["status"] == "ok"], [], declared_cells(declared)
    for entry in declared.headlines:
        try:
            among = fine.query(entry["where"])
            holds = among.index.isin(among.query(entry["holds"]).index)
        except Exception as error:
            raise DataError(
                f"the headline {entry['name']!r} is no query on the specifications: {error}",
                file=root() / "params.yaml",
                column="multiverse, headlines",
                remedy="mend `where` or `holds`.",
            ) from error
        said = {"headline": entry["name"], "text": entry["text"].strip()}
        for (level, name), group in among.assign(holds=holds).groupby(["level", "family"], sort=False):
            varied = choices_of(group, declared) + (["focal"] if len(group["focal"].unique()) > 1 else [])
            shares = explained(group, varied, group["holds"].to_numpy(dtype=float))
            shares = {choice: share for choice, share in shares.items() if choice not in (ALL, COMBINATIONS)}
            most = max(shares.values(), default=np.nan)
            movers = "; ".join(choice for choice, share in shares.items() if share == most)
            cells = group.groupby(list(CHOICES), sort=False).ngroup().to_numpy()
            low, high = limits(
                group["holds"].to_numpy(), cells, min(declared.cells[level] / counts[(level, name)], 1.0)
            )
            out.append(
                said
                | {"level": level, "family": name}
                | {"holds": int(group["holds"].sum()), "specifications": len(group)}
                | {"conf_low": low, "conf_high": high}
                | {"moved_most_by": movers, "share_of_variance": most}
            )
    return pd.DataFrame(out, columns=HEADLINE)


def limits(holds: np.ndarray, cells: np.ndarray, drawn: float) -> tuple[float, float]:
    """95 % limits of a share among all declared specifications, of which cells were drawn whole.

    Wilson's limits for as many independent draws as the variance between cells is worth, each cell being
    worth one at most, with the finite-population correction. NaN for one cell.

    Parameters
    ----------
    holds : (m,) bool. cells : (m,), the cell of each as 0, 1, ... . drawn : what part of all cells these are.

    >>> limits(np.array([True, True, False, False]), np.array([0, 0, 1, 1]), 1.0)
    (0.5, 0.5)
    """
    sizes, sums = np.bincount(cells), np.bincount(cells, weights=holds)
    many, share = len(sizes), float(holds.mean())
    if many < 2:
        return np.nan, np.nan
    variance = many / (many - 1) * ((sums - share * sizes) ** 2).sum() / len(holds) ** 2
    draws = min(share * (1 - share) / variance, many) if variance > 0 else many
    part = (1 - drawn) * Z**2 / draws
    middle = (share + part / 2) / (1 + part)
    reach = np.sqrt(part * (share * (1 - share) + part / 4)) / (1 + part)
    return float(middle - reach), float(middle + reach)
