"""Who stood on one issuer's list and not on the other's: described, because four counties bear no model."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

DESCRIBED = ("democratic_share_2024", "population", "probability")


def dropped_table(panels: Mapping[str, pd.DataFrame], first: str, second: str) -> pd.DataFrame:
    """Units by level and by the lists that name them, with the medians of what sets them apart.

    Parameters
    ----------
    panels : by level, with `is_listed_<v>` for both lists, and `probability` where there is one.
    first, second : suffixes of the lists.

    Returns
    -------
    DataFrame `level, status, units, states, names, median_democratic_share_2024, median_population,
    median_probability`. Status: `on both`, `dropped` (on the first alone), `added`. `names`: the units'
    states and names where there are at most 25. `on both` counts a unit whose government was named under
    another heading.
    """
    rows = []
    for level, panel in panels.items():
        one, two = (panel[f"is_listed_{list_}"] == 1 for list_ in (first, second))
        for status, own in (("on both", one & two), ("dropped", one & ~two), ("added", ~one & two)):
            units = panel[own]
            named = units["name"] + (", " + units["state"] if level != "state" else "")
            row = {
                "level": level,
                "status": status,
                "units": len(units),
                "states": units["state"].nunique(),
                "names": "; ".join(named) if len(units) <= 25 else "",
            }
            rows.append(row | {f"median_{name}": units[name].median() for name in DESCRIBED if name in units})
    return pd.DataFrame(rows)
