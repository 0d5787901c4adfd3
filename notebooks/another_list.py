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
# # Another list
#
# For whoever has a list of jurisdictions that is not here (by a state, an agency, a newspaper) and wants
# the ledger, the outcome and the model of it. The list beside this notebook is nobody's: it was drawn by
# lot from counties and cities of more than 20,000 residents, a few names were misspelt and one was made
# up. So a model of it should find size, and nothing else. Run it from a clone, after `make repro`.

# %%
import pandas as pd

from analysis.jurisdictions import match
from analysis.ledger import listed_units
from analysis.models import fit, load_model
from analysis.panel import load_panel
from analysis.provenance import root
from analysis.tables import coefficient_table, markdown_table

panel = load_panel("county")

# %% [markdown]
# ## Change this: the list
#
# One row an entry: the state's postal abbreviation, the heading that it stood under (`state`, `county`
# or `place`), and the text as printed. Correct nothing here.

# %%
entries = pd.read_csv(root() / "notebooks" / "another_list.csv", dtype="str")
ledger = match(entries)
how = ledger.groupby(["unit", "match_type", "needs_review"]).size().rename("entries").reset_index()
print(markdown_table(how))

# %% [markdown]
# ## Change this: what is in review
#
# A name is read or it waits for a reader; it is never guessed. What waits names nobody until it is
# settled, here by the text that should have been printed.

# %%
waits = ledger[ledger["needs_review"] | (ledger["unit"] == "none")]
print(markdown_table(waits[["state_abbr", "text_as_published", "geoid", "note"]]))

settled = {"Washtenau County": "Washtenaw County"}
ledger = match(entries.replace({"text_as_published": settled}))

# %% [markdown]
# ## Change this: the outcome and the model
#
# `own`: the county's government has an entry, under whatever heading. `as_county`: as a county
# government alone. `place_inside`: a listed city or town lies in it. `state_entry`: its state has an
# entry.

# %%
outcomes = listed_units(ledger.fillna({"geoid": ""}), "county")
print(markdown_table(outcomes.sum().astype(int).rename("counties").rename_axis("outcome").reset_index()))

mine = panel.assign(is_on_my_list=outcomes["own"])
model = load_model("main").with_(name="my list", outcome="is_on_my_list")
main = fit(load_model("main"), panel)
print(coefficient_table([main, fit(model, mine), fit(model.with_(name="Firth", estimator="firth"), mine)]))

# %% [markdown]
# A list that is to stay gets a folder of `data/raw/lists/`, and with it columns of every panel, checks
# and pages: `docs/add_a_list.md`.
