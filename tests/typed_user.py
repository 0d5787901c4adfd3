"""A user's script, which the type checker reads with the package (`make lint`); it is never run.

Lines that must be refused carry the ignore that strict checking would call unused if they were not.
"""

from __future__ import annotations

from typing import assert_type

from matplotlib.axes import Axes

from analysis.lookup import Found, lookup
from analysis.models import Fit, Model, average_marginal_effects, fit, load_model, wild_cluster_bootstrap
from analysis.models.multiverse import specification_curve
from analysis.models.prediction import leave_one_state_out
from analysis.panel import load_panel
from analysis.plots import calibration_plot, coefficient_plot, listing_map, specification_curve_plot
from analysis.tables import coefficient_table

panel = load_panel("county")
main = load_model("main")
own = Model("own", "is_listed", ["median_age"], fixed_effects=["state"], cluster="state")
found = fit(own.with_(add=["poverty_share"], estimator="lpm"), panel)
assert_type(found, Fit)
assert_type(main.with_(drop="median_age"), Model)
assert_type(coefficient_table([found, fit(main, panel)], format="latex"), str)
assert_type(wild_cluster_bootstrap(found, panel, "median_age"), tuple[float, float, float])
assert_type(coefficient_plot(found), Axes)
assert_type(listing_map(panel, outline=None), Axes)
assert_type(lookup("Cook County, IL"), list[Found])
average_marginal_effects(found, panel, per="sd")
specification_curve_plot(specification_curve(panel, "is_listed", "median_age", ["poverty_share"]))
calibration_plot(leave_one_state_out(main, panel), panel["is_listed"])

fit("main", panel)  # type: ignore[arg-type]
Model("own", "is_listed", 3)  # type: ignore[arg-type]
Model("own", "is_listed", ["median_age"], clusters="state")  # type: ignore[call-arg]
coefficient_table("main")  # type: ignore[arg-type]
load_panel(5)  # type: ignore[arg-type]
found.coeficients  # type: ignore[attr-defined]  # noqa: B018
