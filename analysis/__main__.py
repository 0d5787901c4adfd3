"""The command line: `python -m analysis lookup | checks | export | render | changes | review | ...`."""

from __future__ import annotations

import argparse
import datetime
import os
import re
import sys
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from analysis.errors import AnalysisError, DataError, nearest, visible
from analysis.provenance import read_output, read_yaml, root
from analysis.stages import INTERRUPTED, spoken, steady_inputs
from analysis.writing import replacing

MAIN_REPORT = "findings.pdf"
SOURCES = ("lists", "rosters", "acs", "money", "votes", "geography")
CODES = """examples:
  python -m analysis refresh rosters --dry-run
  CENSUS_API_KEY=... python -m analysis refresh acs --vintage 2020-2024
  python -m analysis refresh money --vintage fy2024          all agencies, a file made while one waits
  python -m analysis refresh money --vintage archive-fy2024-015    one agency, from the monthly archive

exit codes: 0 accepted, nothing new, or a dry run that found nothing wrong; 1 another error;
2 wrong use or a missing key; 3 the publisher was not reached, refused or broke off; 4 what came is not what
was asked for or breaks a check, and lies in quarantine; 5 another refresh of the source is running.

With ANALYSIS_REFRESH_REPLAY=http://127.0.0.1:PORT a server on this machine is asked instead, for https://HOST/PATH
at /HOST/PATH."""


LOOKUP = """examples:
  python -m analysis lookup "Cook County, IL"
  python -m analysis lookup 17031                   a Census code: 2 digits, 5, 7 or 10
  python -m analysis lookup "Baltimore, MD"         the county and the city
  python -m analysis lookup Illinois --json | jq '.found[0].listings'

exit codes: 0 found; 1 nothing has that name or too much has it; 2 wrong use."""
CHECKS = """examples:
  python -m analysis checks                         what passed and failed
  python -m analysis checks --all | less            also the rows for information
  python -m analysis checks --json | jq .counts

exit codes: 0 no check fails; 1 one does, or there is no table of checks; 2 wrong use."""
RENDER = """examples:
  python -m analysis render                         every page of reports/_site/
  python -m analysis render codebook.qmd            this page alone"""
CHANGES = """examples:
  python -m analysis changes --since HEAD           after new data: run what follows, and what moved
  python -m analysis changes --no-run               only compare the tables as they are"""
REVIEW = """examples:
  python -m analysis review
  python -m analysis review --json | jq '.[].name'"""
FLOWS = """examples:
  python -m analysis flows FY2024_All_Assistance.zip --out flows.parquet
  python -m analysis flows *.csv --out flows.csv --before 2025-01-20"""
EXPORT = """examples:
  python -m analysis export                         CSV and Parquet into export/
  python -m analysis export --format stata --to ~/listed
  python -m analysis export --format csv --json | jq -r '.files[]'

A format that a table is too large for leaves the table out. Stata's names have at most 32 letters; the label
of a variable holds the full name."""


def render(arguments: argparse.Namespace) -> int:
    """Render the site, or the pages that are named."""
    from analysis.rendering import render_site

    folder = root()
    reports, site = folder / "reports", folder / "reports" / "_site"
    written = render_site(reports, site, cache=folder / ".render-cache", only=arguments.pages)
    if not arguments.pages:
        # What an earlier build linked to would go on being an output.
        for path in sorted(set(site.rglob("*")) - set(written)):
            if path.is_file() and path.suffix != ".part":
                path.unlink(missing_ok=True)
    for page in written:
        print(page.relative_to(folder))
    if site / MAIN_REPORT in written:
        # The main report is committed, for those who read without building.
        with replacing(reports / MAIN_REPORT) as beside:
            beside.write_bytes((site / MAIN_REPORT).read_bytes())
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Write every table for other programs, with its description."""
    from analysis.downloads import DOWNLOADS
    from analysis.downloads import export as write
    from analysis.terminal import as_json

    paths = write(arguments.to.expanduser(), (arguments.format,) if arguments.format else DOWNLOADS)
    print(as_json({"files": [str(path) for path in paths]}) if arguments.json else "\n".join(map(str, paths)))
    return 0


def lookup(arguments: argparse.Namespace) -> int:
    """Print what the tables hold of one jurisdiction."""
    from analysis.lookup import lookup as look
    from analysis.shown import as_record, as_text
    from analysis.terminal import as_json, width

    query = " ".join(arguments.query)
    found = look(query)
    if arguments.json:
        print(as_json({"query": query, "found": [as_record(each) for each in found]}))
    else:
        print("\n\n\n".join(as_text(each, width()) for each in found))
    return 0


def changes(arguments: argparse.Namespace) -> int:
    """Run what follows from changed data, compare the tables with an earlier version, and render the page."""
    from analysis.changes import rerun, update

    pipeline = {} if arguments.no_run else read_yaml(root() / "dvc.yaml")
    if pipeline:
        rerun(pipeline, to="tables")
    said = update(arguments.since)
    if pipeline:
        rerun(pipeline, to="pages")
        print("reports/_site/changes.html")
    print("data/processed/changes.csv")
    moved = read_output("headline_changes.csv")
    if len(moved):
        print(moved.drop(columns="note").to_string(index=False, justify="left", float_format="{:.4g}".format))
    print(said)
    return 0


def checks(arguments: argparse.Namespace) -> int:
    """Print the table of checks; 1 where one fails."""
    from analysis.terminal import as_json, plain_table, width

    table = read_output("checks.csv", as_text=True)
    shown = table if arguments.all else table[table["status"] != "info"]
    found = table["status"].value_counts()
    counts = {status: int(found.get(status, 0)) for status in ("pass", "fail", "info")}
    if arguments.json:
        print(as_json({"counts": counts, "checks": shown}))
    else:
        print(plain_table(shown, width()))
        print(f"{counts['pass']} pass, {counts['fail']} fail, {counts['info']} for information")
    return int(counts["fail"] > 0)


def review(arguments: argparse.Namespace) -> int:
    """Print the names that wait for a reader, or write the answer to one of them."""
    from analysis.jurisdictions import review as desk
    from analysis.jurisdictions.gazetteer import gazetteer
    from analysis.terminal import as_json

    rows = desk.read_queue()
    if arguments.answer:
        row = desk.one(rows, arguments.answer)
        given = (arguments.value, arguments.reason, arguments.source)
        if not all(given):
            raise DataError(
                "an answer needs --is, --reason and --source.",
                file="review --answer",
                remedy="give all three.",
            )
        line = desk.answer(row, desk.decision(gazetteer(), row, *given, arguments.on))
        print(f"{row['file']}: {line}\nRun `dvc repro` to settle it everywhere.")
        return 0
    if arguments.json:
        print(as_json(rows))
        return 0
    for row in rows.map(lambda value: visible(str(value))).to_dict("records"):
        county = f"  COUNTY {row['county']}" if row["county"] else ""
        print(f"{row['id']}  {row['source']}  {row['state_abbr']}  {row['level']}  {row['name']}{county}")
        print(f"        proposed: {row['proposed'] or 'none'} ({row['unit']}); {row['reason']}")
        print(f"        seen {row['rows']} times: {row['seen']}")
        print(f"        add to {row['file']}: {row['line']}")
    print(
        f"{len(rows)} names in review. To answer: python -m analysis review --answer ID --is CODE|none"
        " --reason WHY --source ADDRESS"
    )
    return 0


def flows(arguments: argparse.Namespace) -> int:
    """Sum award transactions to grant flows by county, and write them."""
    from analysis.grants.run import teller, write_flows

    say = teller()
    done = write_flows(
        arguments.files,
        arguments.out,
        engine=arguments.engine,
        master=arguments.master,
        memory=arguments.memory,
        before=arguments.before,
        say=say,
    )
    say(f"{done['transactions']:,} grant transactions of {done['files']} tables: {done['flows']:,} flows\n")
    print(arguments.out)
    return 0


def refresh(arguments: argparse.Namespace) -> int:
    """Fetch a source anew, check it, show what it changes, and accept it as a new vintage."""
    from analysis.refresh.command import Request, run

    return run(
        Request(
            arguments.source,
            vintage=arguments.vintage,
            files=tuple(arguments.files or ()),
            url=arguments.url,
            dry_run=arguments.dry_run,
            because=arguments.because,
        )
    )


class Parser(argparse.ArgumentParser):
    """A parser that names the nearest of the words that it knows."""

    options: ClassVar[set[str]] = (
        set()
    )  # of all commands: a word that none knows is told by the outermost parser

    def add_argument(self, *names: Any, **how: Any) -> argparse.Action:
        self.options.update(name for name in names if name.startswith("--"))
        return super().add_argument(*names, **how)

    def error(self, message: str) -> NoReturn:
        if found := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            message += nearest(found[1], [word.strip(" '") for word in found[2].split(",")])
        if found := re.match(r"unrecognized arguments: (--[\w-]+)", message):
            message += nearest(found[1], sorted(self.options))
        super().error(message)


def example(text: str) -> dict:
    """What `--help` ends with, as it stands."""
    return {"epilog": text, "formatter_class": argparse.RawDescriptionHelpFormatter}


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = Parser(prog="python -m analysis", description="Work with the project's results.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser(
        "lookup", help="print what the tables hold of one jurisdiction", **example(LOOKUP)
    )
    one.add_argument("query", nargs="+", metavar="NAME", help="a name with its state, or a Census code")
    one.add_argument("--json", action="store_true", help="as JSON, codes as text, what is missing as null")
    one.set_defaults(run=lookup)
    one = commands.add_parser("checks", help="print the table of checks", **example(CHECKS))
    one.add_argument("--all", action="store_true", help="also the rows for information")
    one.add_argument("--json", action="store_true", help="as JSON")
    one.set_defaults(run=checks)
    one = commands.add_parser(
        "export", help="write every table for other programs, described", **example(EXPORT)
    )
    one.add_argument(
        "--format", choices=["csv", "parquet", "stata"], help="this format alone (csv and parquet)"
    )
    one.add_argument("--to", type=folder, default=Path("export"), metavar="FOLDER", help="where to (export)")
    one.add_argument("--json", action="store_true", help="the files written as JSON")
    one.set_defaults(run=export)
    one = commands.add_parser("render", help="render reports/*.qmd to reports/_site/", **example(RENDER))
    one.add_argument("pages", nargs="*", metavar="PAGE", help="this page alone, such as codebook.qmd (all)")
    one.set_defaults(run=render)
    one = commands.add_parser(
        "changes", help="run what follows from changed data; what it changes in results", **example(CHANGES)
    )
    one.add_argument(
        "--since",
        metavar="TAG",
        help="compare with this tag or commit (the last tag; without one, the last commit)",
    )
    one.add_argument("--no-run", action="store_true", help="compare the tables as they are")
    one.set_defaults(run=changes)
    one = commands.add_parser("review", help="print the names in review, or answer one", **example(REVIEW))
    one.add_argument("--json", action="store_true", help="the queue as JSON")
    one.add_argument("--answer", metavar="ID", help="the name to settle, by its id in the queue")
    one.add_argument(
        "--is",
        dest="value",
        metavar="CODE",
        help='the government\'s code; counties joined by ";"; "in CODE" for a part of a county; none',
    )
    one.add_argument("--reason", help="why, in a sentence")
    one.add_argument("--source", metavar="ADDRESS", help="where that was read")
    one.add_argument(
        "--on", metavar="DAY", default=datetime.date.today().isoformat(), help="when it was decided (today)"
    )
    one.set_defaults(run=review)
    one = commands.add_parser(
        "flows", help="sum award transactions to grant flows by county", **example(FLOWS)
    )
    one.add_argument("files", nargs="+", metavar="FILE", help="bulk files: CSV, zip or Parquet, mixed")
    one.add_argument("--out", type=Path, required=True, metavar="PATH", help="ends in .parquet or .csv")
    one.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb", help="(duckdb)")
    one.add_argument("--master", metavar="URL", help="Spark's master; this machine's cores if not given")
    one.add_argument("--memory", default="512MB", metavar="SIZE", help="the limit of DuckDB (512MB)")
    one.add_argument("--before", type=day, metavar="DAY", help="only actions before this day, YYYY-MM-DD")
    one.set_defaults(run=flows)
    one = commands.add_parser(
        "refresh", help="fetch a source anew, check it, show what it changes, accept it", **example(CODES)
    )
    one.add_argument("source", choices=SOURCES, metavar="SOURCE", help=", ".join(SOURCES))
    one.add_argument("--vintage", help="this vintage, or this name for it (the newest)")
    one.add_argument("--dry-run", action="store_true", help="show what would change, accept nothing")
    one.add_argument(
        "--from",
        dest="files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="read what was downloaded by hand: files, or a folder of them",
    )
    one.add_argument("--url", help="fetch from this address of the publisher's")
    one.add_argument("--because", metavar="WHY", help="accept what looks wrong, for this reason")
    one.set_defaults(run=refresh)
    return top


def day(text: str) -> str:
    """An ISO day, as text."""
    return datetime.date.fromisoformat(text).isoformat()


def folder(text: str) -> Path:
    """A folder's path; no text, as an unset variable of the shell gives it, would mean the one worked in."""
    if not text.strip():
        raise argparse.ArgumentTypeError("no folder is named; . means this one")
    return Path(text)


def main(words: list[str] | None = None) -> int:
    """Run one command; an error that a user can act on is one message, without a traceback."""
    arguments = parser().parse_args(words)
    try:
        with steady_inputs():
            code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output, as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (AnalysisError, OSError) as error:
        print(f"error: {spoken(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: nothing was half-written.", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
