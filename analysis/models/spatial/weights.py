"""Which units are neighbours, as sparse matrices."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.errors import ModelError


def adjacency(units: Iterable[str], pairs: pd.DataFrame) -> sparse.csr_array:
    """Zeros and ones, (n, n), symmetric: 1 where two of the units are neighbours.

    Parameters
    ----------
    units : their codes, in order. pairs : two columns of codes, one row a pair, in either or both directions;
        pairs with a unit that is not among the units are left out.

    Raises
    ------
    ModelError : a unit twice, a missing code, a pair of a unit with itself, no two columns.
    """
    index = pd.Index(units)
    if index.has_duplicates or index.hasnans:
        raise ModelError(
            "Units must have distinct codes, none of them missing, for their neighbours to be found."
        )
    if not isinstance(pairs, pd.DataFrame) or pairs.shape[1] != 2:
        raise ModelError("Neighbours are a DataFrame of two columns, a unit's code and its neighbour's.")
    first, second = (index.get_indexer(pairs.iloc[:, column]) for column in (0, 1))
    alike = (pairs.iloc[:, 0] == pairs.iloc[:, 1]).to_numpy()
    if alike.any():
        raise ModelError(
            f"{pairs.iloc[alike.argmax(), 0]!r} stands as its own neighbour. Leave such pairs out."
        )
    known = (first >= 0) & (second >= 0)
    rows = np.r_[first[known], second[known]]
    columns = np.r_[second[known], first[known]]
    links = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(index), len(index))).tocsr()
    links.data[:] = 1.0  # a pair given in both directions was counted twice
    return links


def without_islands(links: sparse.csr_array) -> tuple[sparse.csr_array, np.ndarray]:
    """The links of the units that have a neighbour, and which these are, (n,) bool.

    Raises
    ------
    ModelError : no unit has one.
    """
    kept = np.asarray(links.sum(axis=1)).ravel() > 0
    if not kept.any():
        raise ModelError(
            "None of the units has a neighbour among them. Look at the codes of units and pairs."
        )
    return links[kept][:, kept], kept


def row_standardised(links: sparse.csr_array) -> sparse.csr_array:
    """Every row divided by its sum, so that a product with it is the neighbours' mean; empty rows stay.

    Parameters
    ----------
    links : (n, n), not below 0.
    """
    total = np.asarray(links.sum(axis=1)).ravel()
    shares = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    return sparse.csr_array(sparse.diags_array(shares) @ links)
