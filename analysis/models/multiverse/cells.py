"""One cell of the multiverse: every focal variable beside every subset, and the same under the null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models.multiverse import curve, lattice
from analysis.models.multiverse.declaration import Multiverse, family
from analysis.models.multiverse.inference import Tally, compared
from analysis.models.multiverse.null import permuted, wild
from analysis.models.multiverse.prepare import Prepared, prepare
from analysis.models.multiverse.universe import OUTCOME, frame
from analysis.sources.states import ABBREVIATION

CLUSTER = "state"
NUMBERS = ("estimate", "std_error", "p_value", "effect", "n", "events", "clusters")


@dataclass(frozen=True, eq=False)
class Cell:
    """What one focal variable's subsets gave in one cell, m specifications.

    Parameters
    ----------
    numbers : (7, m), in the order of `NUMBERS`. status : (m,).
    null : (fitted, draws) float32 estimates under the wild bootstrap. null_t : likewise the t statistics.
    """

    numbers: np.ndarray
    status: np.ndarray
    null: np.ndarray
    null_t: np.ndarray


def signs(declared: Multiverse) -> dict[str, np.ndarray]:
    """Each state's signs (draws,), the same in every cell, so that the curves of a draw hang together."""
    states = sorted(ABBREVIATION.values())
    rng = np.random.default_rng([declared.seed, 1])
    return dict(zip(states, rng.choice([-1.0, 1.0], size=(len(states), declared.draws)), strict=True))


def fit_cell(
    declared: Multiverse, choices: Mapping[str, str], flips: Mapping[str, np.ndarray]
) -> dict[str, Cell]:
    """Every focal variable's curve in one cell, by its name."""
    try:
        data = frame(declared, choices)
    except ModelError as error:
        return {focal: _none(declared, focal, str(error)) for focal in declared.focal}
    return {focal: _fit(declared, choices, data, focal, flips) for focal in declared.focal}


def prepared(declared: Multiverse, choices: Mapping[str, str], data: pd.DataFrame, focal: str) -> Prepared:
    """The arrays of one focal variable's curve. All focal variables have the same rows: those complete in all
    controls and focal variables."""
    complete = data.dropna(subset=[*declared.controls, *declared.focal])
    if not len(complete):
        raise ModelError("no complete row")
    return prepare(
        complete,
        OUTCOME,
        focal,
        declared.beside(focal),
        choices["estimator"],
        declared.choices["effects"][choices["effects"]],
        CLUSTER,
        declared.choices["weights"][choices["weights"]],
        choices["level"],
    )


def _fit(
    declared: Multiverse,
    choices: Mapping[str, str],
    data: pd.DataFrame,
    focal: str,
    flips: Mapping[str, np.ndarray],
) -> Cell:
    try:
        given = prepared(declared, choices, data, focal)
    except ModelError as error:
        return _none(declared, focal, str(error))
    held = lattice.masks(len(given.controls))
    found = curve.run(given, held, every=True)
    m, fine = len(held), found.status == "ok"
    numbers = np.stack(
        [
            found.estimate,
            found.std_error,
            curve.two_sided(found, given, held),
            found.effect,
            np.full(m, len(given.y)),
            np.full(m, given.y.sum()),
            np.full(m, given.clusters),
        ]
    )
    null, null_t = (np.empty((fine.sum(), declared.draws), "float32") for _ in range(2))
    if fine.any():
        flipped = np.stack([flips[state] for state in given.labels])
        for block, estimates, t in wild(given, held[np.ix_(fine, given.usable)], flipped):
            null[block], null_t[block] = estimates, t
    return Cell(numbers, found.status.astype(str), null, null_t)


def _none(declared: Multiverse, focal: str, why: str) -> Cell:
    """No number for any subset."""
    m = 2 ** len(declared.beside(focal))
    nothing = np.empty((0, declared.draws), "float32")
    return Cell(np.full((len(NUMBERS), m), np.nan), np.full(m, why), nothing, nothing)


def permutation_tests(declared: Multiverse) -> pd.DataFrame:
    """The main cell of every linear family of counties, its focal variables shuffled within states."""
    tables = []
    for choices in declared.every_cell:
        if not (declared.is_main(choices) and choices["level"] == "county" and choices["estimator"] == "lpm"):
            continue
        for focal in declared.focal:
            try:
                given = prepared(declared, choices, frame(declared, choices), focal)
                tables.append(
                    _permuted(declared, given).assign(focal=focal, level="county", family=family(choices))
                )
            except ModelError as error:
                print(f"no permutation of {focal}, {family(choices)}: {error}")
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _permuted(declared: Multiverse, given: Prepared) -> pd.DataFrame:
    held = lattice.masks(len(given.controls))
    found = curve.run(given, held, every=True)
    fine = found.status == "ok"
    if not fine.any():
        raise ModelError(f"{found.status[0]}")
    df = np.full(fine.sum(), given.clusters - 1.0)
    observed, under = Tally(1), Tally(declared.draws)
    observed.add(found.estimate[fine, None], (found.estimate / found.std_error)[fine, None], df)
    among = held[np.ix_(fine, given.usable)]
    curves = list(permuted(given, among, given.codes, declared.draws, declared.seed))
    under.add(np.column_stack([e for e, _ in curves]), np.column_stack([t for _, t in curves]), df)
    return compared(observed, under)
