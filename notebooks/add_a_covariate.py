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
# # Add a covariate
#
# For whoever has a column of their own (a survey, a budget, a count) and wants to know whether it goes
# with being listed beside the covariates that are here. First the column is joined and used at once,
# which changes nothing in the project; then comes the line that makes it a variable of the project. Run
# it from a clone, after `make repro`.

# %%
import pandas as pd

from analysis.models import fit, load_model
from analysis.panel import load_panel
from analysis.provenance import root
from analysis.tables import coefficient_table, markdown_table

panel = load_panel("county")

# %% [markdown]
# ## Change this: the file
#
# Any table with one row a county and its code as text (five digits; read as a number, a code loses its
# first zero). Here a file of the survey stands for yours, with a column that no variable reads:
# residents aged 65 and over.

# %%
own = pd.read_csv(root() / "data/raw/acs/2018-2022/county.csv", dtype={"GEOID": "str"}).set_index("GEOID")
column = (own["SVI_AGE65_E"] / own["B01003_001E"]).rename("over_65_share")

# %% [markdown]
# What met nothing is counted, on both sides. The panel has Connecticut's planning regions: a file with
# its old counties has rows that meet nothing, and no bridge is invented.

# %%
joined = panel.join(column, validate="one_to_one")
without = joined[joined["over_65_share"].isna()].groupby("state").size()
met = pd.DataFrame(
    {
        "What": ["counties without a value", "in the states", "rows of the file without a county"],
        "Found": [
            int(without.sum()),
            ", ".join(without.index) or "none",
            len(column.index.difference(panel.index)),
        ],
    }
)
print(markdown_table(met))

# %% [markdown]
# ## Change this: the model
#
# `main` is the pre-specified model; `with_` makes another of it and leaves `main` as it is.

# %%
main = load_model("main")
older = main.with_(name="with my column", add=["over_65_share"])
print(coefficient_table([fit(main, joined), fit(older, joined)]))

# %% [markdown]
# ## Change this: the line of the catalogue
#
# This line at the end of `analysis/variables.yaml` makes it a variable of the project: `make repro` then
# brings it into panel, codebook, checks, the wide model and the pages. It names a folder of `data/raw/`;
# `docs/add_a_source.md` says how a file of yours gets there. Here the line is only read, as the project
# would read it, from a copy.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis.catalogue import FILE, load_catalogue
from analysis.panel import build, read_source
from analysis.provenance import read_param
from analysis.units import read_units

line = (
    "over_65_share: {label: Residents aged 65 and over (2018-2022), unit: share, group: demography, "
    "source: acs/2018-2022, formula: SVI_AGE65_E / B01003_001E, margin: proportion, as_of: 2022-12-31, "
    "range: [0, 0.8]}"
)
with TemporaryDirectory() as folder:
    copy = Path(folder) / "variables.yaml"
    copy.write_text(FILE.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    variable = load_catalogue("county", copy)["over_65_share"]

units = read_units("county", read_param("vintages")["geography"])
built, _ = build(units, {variable.name: variable}, lambda source: read_source(source, "county"), {})
summary = built[["over_65_share", "over_65_share_moe"]].describe().loc[["count", "min", "50%", "max"]]
print(markdown_table(summary.rename_axis("of the column and its margin").reset_index()))
