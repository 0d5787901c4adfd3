"""Grant flows from award transactions, on DuckDB or Apache Spark."""

from analysis.grants.flows import county_flows

__all__ = ["county_flows"]
