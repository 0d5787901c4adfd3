"""The command line: `python -m analysis render | checks`."""

from __future__ import annotations

import argparse
import sys

from analysis.errors import AnalysisError
from analysis.provenance import read_output, root


def render(arguments: argparse.Namespace) -> int:
    """Render the site, or the pages that are named."""
    from analysis.rendering import render_site

    folder = root()
    for page in render_site(folder / "reports", folder / "reports" / "_site", cache=folder / ".render-cache"):
        print(page.relative_to(folder))
    return 0


def checks(arguments: argparse.Namespace) -> int:
    """Print the table of checks; 1 where one fails."""
    table = read_output("checks.csv").fillna("")
    shown = table if arguments.all else table[table["status"] != "info"]
    print(shown.to_string(index=False, justify="left", max_colwidth=60))
    counts = table["status"].value_counts()
    print(
        f"{counts.get('pass', 0)} pass, {counts.get('fail', 0)} fail, {counts.get('info', 0)} for information"
    )
    return int(counts.get("fail", 0) > 0)


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="python -m analysis", description="Work with the project's results.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("render", help="render reports/*.qmd to reports/_site/")
    one.set_defaults(run=render)
    one = commands.add_parser("checks", help="print the table of checks")
    one.add_argument("--all", action="store_true", help="also the rows for information")
    one.set_defaults(run=checks)
    return top


def main(words: list[str] | None = None) -> int:
    """Run one command; an error that a user can act on is one message, without a traceback."""
    arguments = parser().parse_args(words)
    try:
        return arguments.run(arguments)
    except AnalysisError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
