"""The examples in the docstrings are run."""

import doctest
import importlib

import pytest

MODULES = (
    "models.spec", "models.terms", "models.cluster", "models.results", "models.fitting", "models.within",
    "models.bootstrap", "models.quadrature", "models.permutation", "models.multiplicity", "models.agreements",
    "tables", "models.multiverse.summary",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(f"analysis.{name}"))
    assert result.attempted > 0 and result.failed == 0
