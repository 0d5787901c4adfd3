"""Group means and deviations of columns, for models with separate slopes within and between groups."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models.terms import labels_of, numbers, require_frame


def within_between(data: pd.DataFrame, columns: str | Iterable[str], by: str) -> pd.DataFrame:
    """The frame with each column's group mean (`<column>_between`) and deviation from it
    (`<column>_within`) added (Mundlak, Econometrica 46, 1978).

    A mean is over all rows of `data` in the group that have a value in that column: rows that a model later
    leaves out, for another column or by its sample, count too. Give the sample's complete rows where means of
    those are meant. A row without a group gets neither.

    Parameters
    ----------
    data : any frame. columns : names of columns with numbers. by : the column of groups.

    Raises
    ------
    ModelError : an unknown column (with the nearest), one without numbers or with infinite
        ones, groups that are no labels, a name that is taken, something else than a frame or names.

    Examples
    --------
    >>> frame = pd.DataFrame({"state": ["A", "A", "B"], "x": [1.0, 3.0, 5.0]})
    >>> within_between(frame, ["x"], "state")[["x_between", "x_within"]].to_numpy().tolist()
    [[2.0, -1.0], [2.0, 1.0], [5.0, 0.0]]
    """
    require_frame(data)
    groups = labels_of(data, by, "the groups").to_numpy()
    names = [columns] if isinstance(columns, str) else columns
    if not isinstance(names, Iterable):
        raise ModelError(f"columns={columns!r}: names of columns are needed.")
    added: dict[str, pd.Series] = {}
    for column in names:
        values = pd.Series(numbers(data, column), index=data.index)
        if (bad := np.isinf(values)).any():
            raise ModelError(f"The column {column!r} holds {bad.sum()} infinite values.")
        mean = values.groupby(groups).transform("mean")
        added |= {f"{column}_between": mean, f"{column}_within": values - mean}
    if taken := [name for name in added if name in data.columns]:
        raise ModelError(f"The data already have the columns {', '.join(taken)}.")
    return data.assign(**added)
