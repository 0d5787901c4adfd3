"""Whether improbable entries are the doubtful ones: recall and ranks of entries that somebody wrote about.

The comparison is with entries drawn at random from the same list. Two cautions belong to every number: an
entry that nobody wrote about is not thereby right, and the press chose places by their vote, which the model
knows too; the vote alone therefore stands beside it as a scorer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

TOP = (10, 25, 50, 100)
COLUMNS = (
    "scorer",
    "kind",
    "members",
    "entries",
    "measure",
    "k",
    "value",
    "expected",
    "low",
    "high",
    "p_value",
)


def judge(scores: pd.DataFrame, members: dict[str, set[str]], vote: pd.Series) -> pd.DataFrame:
    """How early each kind of doubtful entry comes when entries are sorted by a score.

    Parameters
    ----------
    scores : index code of every listed unit with a prediction, one column a scorer, low means improbable.
    members : kind -> codes. vote : Democratic share by code.

    Returns
    -------
    DataFrame of `COLUMNS`. Measure `recall`: the share of the kind among the k entries with the lowest
    scores. `mean_rank`: its mean rank as a share of the number of entries, 0 the least probable.
    `median_vote`: its median Democratic share, beside that of all other entries. `expected`, `low`, `high`:
    mean and 95 % range for as many entries drawn at random; `p_value`: how often as good a value so comes by
    chance (one-sided; hypergeometric, Wilcoxon's rank sum).
    """
    rows = []
    total = len(scores)
    for kind, codes in members.items():
        inside = scores.index.isin(sorted(codes))
        m = int(inside.sum())
        about = {"kind": kind, "members": m, "entries": total}
        if not m or m == total:
            rows.append(about | {"measure": "none of them was predicted" if not m else "all of them are"})
            continue
        for scorer in scores:
            ranks = stats.rankdata(scores[scorer], method="ordinal")
            for k in (k for k in TOP if k < total):
                hits = int((ranks[inside] <= k).sum())
                law = stats.hypergeom(total, m, k)
                low, high = law.ppf([0.025, 0.975]) / m
                rows.append(
                    about
                    | {
                        "scorer": scorer,
                        "measure": "recall",
                        "k": k,
                        "value": hits / m,
                        "expected": k / total,
                    }
                    | {"low": low, "high": high, "p_value": law.sf(hits - 1)}
                )
            middle = (stats.rankdata(scores[scorer])[inside] - 0.5).mean() / total
            spread = np.sqrt((total + 1) * (total - m) / (12 * m)) / total
            test = stats.mannwhitneyu(
                scores.loc[inside, scorer], scores.loc[~inside, scorer], alternative="less"
            )
            rows.append(
                about
                | {"scorer": scorer, "measure": "mean_rank", "value": middle, "expected": 0.5}
                | {"low": 0.5 - 1.96 * spread, "high": 0.5 + 1.96 * spread, "p_value": test.pvalue}
            )
        shares = vote.reindex(scores.index)
        rows.append(
            about
            | {
                "measure": "median_vote",
                "value": shares[inside].median(),
                "expected": shares[~inside].median(),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"k": "Int64"})
