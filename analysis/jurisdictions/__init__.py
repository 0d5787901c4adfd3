"""Names to Census codes: `match` says of every published name which government it means."""

from analysis.jurisdictions.match import match

__all__ = ["match"]
