"""Group means and deviations of columns, for models with separate slopes within and between groups."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from analysis.errors import ModelError
from analysis.models.terms import numbers, require


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
    ModelError : an unknown column (with the nearest), one without numbers, a name that is taken.

    Examples
    --------
    >>> frame = pd.DataFrame({"state": ["A", "A", "B"], "x": [1.0, 3.0, 5.0]})
    >>> within_between(frame, ["x"], "state")[["x_between", "x_within"]].to_numpy().tolist()
    [[2.0, -1.0], [2.0, 1.0], [5.0, 0.0]]
    """
    require(by, data, "the groups")
    added = {}
    for column in [columns] if isinstance(columns, str) else columns:
        values = pd.Series(numbers(data, column), index=data.index)
        mean = values.groupby(data[by].to_numpy()).transform("mean")
        added |= {f"{column}_between": mean, f"{column}_within": values - mean}
    if taken := [name for name in added if name in data.columns]:
        raise ModelError(f"The data already have the columns {', '.join(taken)}.")
    return data.assign(**added)
