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
# # Your county
#
# For whoever wants to know what is here about one county: a resident, a reporter, its own staff. Its
# entries, its agreements, how probable an entry is for a county like it, what money is at stake, and how
# sure its figures are. A probability is that of an entry on a list; it says nothing of what the county
# does. Run it from a clone, after `make repro`.

# %% [markdown]
# ## Change this: the county
#
# Its code, five digits, as text. A part of the name finds it. (`python -m analysis lookup "Cook County,
# IL"` tells the most of it in a terminal.)

# %%
from analysis.panel import load_panel
from analysis.provenance import read_output, read_param
from analysis.tables import markdown_table

GEOID, NAME = "17031", "Cook"

panel = load_panel("county")
print(markdown_table(panel[panel["name"].str.contains(NAME)][["name", "state"]].reset_index()))
county = panel.loc[GEOID]

# %% [markdown]
# Its entries, under whatever heading, on every list; and those of its state and of the cities in it. A
# list that has no row here has no entry of it.

# %%
from analysis.ledger import codes_of, place_counties, read_jurisdictions

codes = codes_of(read_jurisdictions())
pairs = place_counties(read_param("vintages")["geography"])
inside = pairs.loc[pairs["COUNTY_GEOID"] == GEOID, "PLACE_GEOID"]
relation = dict.fromkeys(inside, "a city in it") | {GEOID[:2]: "its state", GEOID: "itself"}
entries = codes.assign(of=codes["code"].map(relation)).dropna(subset=["of"])
print(markdown_table(entries[["vintage", "of", "level", "text_as_published", "match_type"]]))

# %% [markdown]
# Agreements under section 287(g) by agencies of the county on every day of a roster that has one.

# %%
rosters = read_output("county_287g.csv")
own = rosters[rosters["geoid"] == GEOID][["roster", "agencies", "agreements"]]
print(markdown_table(own) if len(own) else f"{county['name']} has none on any of the rosters.")

# %% [markdown]
# ## Change this: the model of the probability
#
# Any pre-specified model, or one of your own. Its county's state is left out when it is fitted, so that
# the answer does not come from the entry itself. Where it is highest it is too high: the page on
# prediction says how far.

# %%
import pandas as pd

from analysis.models import load_model
from analysis.models.prediction import leave_one_state_out

probability = leave_one_state_out(load_model("main"), panel)
rank = probability.rank(ascending=False)[GEOID]
if pd.isna(probability[GEOID]):
    print("The model has no probability for it: one of its covariates is missing there.")
else:
    answer = {"listed": int(county["is_listed"]), "probability": probability[GEOID], "rank": int(rank)}
    print(markdown_table(pd.DataFrame([answer | {"of": int(probability.notna().sum())}])))

# %% [markdown]
# ## Change this: the reading of the money
#
# Five readings stand side by side, each in its own measure; measures are never added or compared. A
# government that is on no list has no rows, and an empty amount has its reason.

# %%
READING = None  # or "justice_law_enforcement", "slfrf", ...; None shows all of them

money = read_output("dollars_at_stake.csv")
money = money[(money["geoid"] == GEOID) & ((money["reading"] == READING) | (READING is None))]
columns = ["reading", "measure", "fiscal_year", "amount_usd", "per_resident_usd", "reason"]
print(markdown_table(money[columns].fillna({"reason": ""})) if len(money) else "No rows: it is on no list.")

# %% [markdown]
# Its figures that come with a margin of error (90 %), and how large the margin is beside the figure.

# %%
margins = [name for name in panel if f"{name}_moe" in panel]
sure = pd.DataFrame(
    {
        "variable": margins,
        "figure": [county[name] for name in margins],
        "margin": [county[f"{name}_moe"] for name in margins],
    }
)
print(markdown_table(sure.assign(share=sure["margin"] / sure["figure"].abs())))
