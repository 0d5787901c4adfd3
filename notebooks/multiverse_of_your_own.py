# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#     notebook_metadata_filter: jupytext,kernelspec,-all
#     cell_metadata_filter: -all
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A multiverse of your own
#
# For whoever doubts a finding and wants every defensible way of asking, and not the one that was
# published: the slope of one variable beside every subset of controls, in several samples, by two
# estimators. Run it from a clone, after `make repro`. The published multiverse varies more
# (`params.yaml`, under `multiverse`).

# %% [markdown]
# ## Change this: the question
#
# `OUTCOME` is a column of 0 and 1, `FOCAL` the variable whose slope is looked at.

# %%
import pandas as pd

from analysis.models.multiverse import curve_test, specification_curve
from analysis.panel import load_panel
from analysis.plots import specification_curve_plot
from analysis.tables import markdown_table

OUTCOME, FOCAL = "is_listed", "democratic_share_2024"
panel = load_panel("county")

# %% [markdown]
# ## Change this: the controls
#
# Every subset of them is a specification: n controls give two to the power of n. Columns, products as
# `"a:b"`, or groups of the codebook; at most 20 in all.

# %%
CONTROLS = ["foreign_born_share", "hispanic_share", "bachelors_share", "log_median_income", "log_population"]
curve = specification_curve(panel, OUTCOME, FOCAL, CONTROLS, cluster="state")
shown = curve.assign(controls=[", ".join(names) or "none" for names in curve["controls"]])
print(markdown_table(shown.sort_values("estimate")))
specification_curve_plot(curve)

# %% [markdown]
# ## Change this: samples and estimators
#
# Samples are queries on the panel. `lpm` gives differences in probability, `logit` log odds: their sizes
# are not comparable, their signs are.

# %%
SAMPLES = {
    "all counties": "population > 0",
    "listed states": "is_in_listed_state == 1",
    "other states": "is_in_listed_state == 0",
    "without Illinois": "state != 'IL'",
}
CHOICES = {
    "linear, pooled": {"estimator": "lpm"},
    "linear, within states": {"estimator": "lpm", "fixed_effects": "state"},
    "logit, pooled": {"estimator": "logit"},
}
rows = []
for sample, query in SAMPLES.items():
    for choice, how in CHOICES.items():
        found = specification_curve(panel.query(query), OUTCOME, FOCAL, CONTROLS, cluster="state", **how)
        ok = found[found["status"] == "ok"]
        rows.append(
            {
                "sample": sample,
                "estimator": choice,
                "specifications": len(ok),
                "lowest": ok["estimate"].min(),
                "median": ok["estimate"].median(),
                "highest": ok["estimate"].max(),
                "above zero": int((ok["estimate"] > 0).sum()),
                "p below 0.05": int((ok["p_value"] < 0.05).sum()),
            }
        )
print(markdown_table(pd.DataFrame(rows)))

# %% [markdown]
# Many small p-values are no proof: specifications share their data. The test asks whether the curve as a
# whole is more than chance makes of a variable that says nothing.

# %%
print(markdown_table(curve_test(panel, OUTCOME, FOCAL, CONTROLS, cluster="state", draws=199)))
