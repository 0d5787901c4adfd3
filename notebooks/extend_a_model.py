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
# # Extend a model
#
# For whoever wants to know whether a finding survives one more covariate. The pre-specified models stand in
# `params.yaml`; here one of them is changed without touching that file, and put beside the original. Run it
# from a clone of the project, after `make repro`.

# %%
from analysis.models import fit, load_model
from analysis.panel import load_panel
from analysis.tables import coefficient_table

panel = load_panel("county")
main = load_model("main")
wider = main.with_(name="wider", add=["median_age"])
print(coefficient_table([fit(main, panel), fit(wider, panel)]))

# %% [markdown]
# ## Change this: the covariate
#
# Any column of the panel or group of the codebook will do, and products as `"a:b"`. A name that does not
# exist is answered with the nearest one.

# %%
poorer = main.with_(name="poorer", drop=["log_median_income"], add=["poverty_share"])
print(coefficient_table(fit(poorer, panel)))

# %% [markdown]
# ## Change this: the sample or the estimator
#
# `sample` is a query on the panel's columns. `fixed_effects` with `lpm` or `conditional_logit` compares
# counties within a state.

# %%
within = main.with_(name="within", estimator="lpm", fixed_effects="state", sample="is_in_mixed_state == 1")
print(coefficient_table(fit(within, panel)))

# %% [markdown]
# ## Change this: how sure
#
# Fifty unequal states are few. The wild cluster bootstrap gives a p-value and 95 % limits that bear it.

# %%
from analysis.models import wild_cluster_bootstrap

wild_cluster_bootstrap(fit(wider, panel), panel, "median_age", draws=1999, seed=0)
