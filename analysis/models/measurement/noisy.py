"""A model's arrays together with the standard errors of its columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models.design import Design, design
from analysis.models.measurement.errors import drawn, standard_errors
from analysis.models.scores import with_columns
from analysis.models.spec import Model
from analysis.models.terms import numbers


@dataclass(frozen=True, eq=False)
class Noisy:
    """The arrays of a model, and what is known of the errors in its columns.

    Parameters
    ----------
    arrays : of the rows complete in values and margins.
    columns : the parts of the terms, each (n,).
    errors : the standard errors of those parts that have any, each (n,).
    data : the rows of the frame that were used.
    without_margin : how many rows left for want of a margin alone.
    """

    arrays: Design
    columns: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    data: pd.DataFrame
    without_margin: int

    def on(self, columns: dict[str, np.ndarray]) -> Design:
        """The arrays made of other columns."""
        return replace(self.arrays, X=with_columns(self.arrays, columns))

    def draw(self, seed: int, number: int) -> Design:
        """The arrays with one draw of the errors in all columns, carried through the catalogue's formulas."""
        made = drawn(self.errors, self.data, seed, number)
        if bad := [name for name, column in made.items() if not np.isfinite(column).all()]:
            raise ModelError(
                f"Draw {number}: {', '.join(bad)} has no value where the error takes it out of its formula's "
                "range. Leave out rows whose margin is as large as their estimate, or narrow the range in "
                "the catalogue."
            )
        return self.on(self.columns | made)

    def subset(self, rows: np.ndarray) -> Noisy:
        """The same of some rows (n,), bool, without the effects of groups that have none of them."""
        a = self.arrays
        X = a.X[rows]
        first = X.shape[1] - a.effects
        kept = [j for j in range(X.shape[1]) if j < first or X[:, j].any()]
        arrays = replace(
            a,
            X=X[:, kept],
            names=tuple(a.names[j] for j in kept),
            effects=len(kept) - first,
            y=a.y[rows],
            weights=None if a.weights is None else a.weights[rows],
            codes=None if a.codes is None else a.codes[rows],
            groups=tuple(np.unique(group[rows], return_inverse=True)[1] for group in a.groups),
        )
        columns, errors = (
            {name: column[rows] for name, column in table.items()} for table in (self.columns, self.errors)
        )
        return replace(self, arrays=arrays, columns=columns, errors=errors, data=self.data[rows])


def noisy_design(model: Model, data: pd.DataFrame) -> Noisy:
    """A model's arrays with the errors of its columns.

    A row with a value but no margin leaves, since nothing is known of its error.

    Parameters
    ----------
    model : a `logit` or `lpm`. data : columns with margins have them in `<name>_moe` (90 %).

    Raises
    ------
    ModelError : what `design` names, or no covariate with a margin. DataError : a negative margin.
    """
    first = design(model, data)
    used = data[first.used]
    errors = {name: standard_errors(name, used) for name in _parts(first)}
    known = np.all([np.isfinite(error) for error in errors.values()], axis=0)
    if not known.any():
        raise ModelError(f"Model {model.name!r}: no row has a margin of error for every covariate with one.")
    errors = {name: error for name, error in errors.items() if (error > 0).any()}
    if not errors:
        raise ModelError(
            f"Model {model.name!r}: no covariate has a margin of error. Name columns with a `<name>_moe` "
            "beside them."
        )
    kept = used[known]
    arrays = first if known.all() else design(model, kept)
    final = known.copy()
    if not known.all():
        final[known] = arrays.used
        kept = kept[arrays.used]
    return Noisy(
        arrays=arrays,
        columns={name: numbers(kept, name) for name in _parts(arrays)},
        errors={name: error[final] for name, error in errors.items() if name in _parts(arrays)},
        data=kept,
        without_margin=int((~known).sum()),
    )


def _parts(arrays: Design) -> tuple[str, ...]:
    """The columns that the terms with a coefficient are made of."""
    terms = [term for term in arrays.terms if term.name in arrays.names]
    return tuple(dict.fromkeys(part for term in terms for part in term.parts))
