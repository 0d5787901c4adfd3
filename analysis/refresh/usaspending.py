"""USAspending's interface: totals to hold a file against.

Its answers can be short without an error: ten rows where no limit is given, nothing beyond a window, filters
that are not known passed over with a sentence in `messages`, counties that it cannot map left out. Each of
these is looked for here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from analysis.grants.flows import GRANTS
from analysis.refresh.answers import decoded
from analysis.refresh.faults import QuarantineError
from analysis.refresh.http import Web
from analysis.refresh.once import once

API = "https://api.usaspending.gov/api/v2/"
FILES = "files.usaspending.gov"
HOSTS = ("api.usaspending.gov", FILES)
LATER = (403,)  # its answer to many requests
AGAIN = "run the same command again: it goes on from what is there."
PAGE, WINDOW = 100, 10_000  # rows a page at most, and rows that can be reached by pages
SCOPES = {"recipient": "recipient_location", "place_of_performance": "place_of_performance"}
# Sentences that come with every answer and change nothing of it.
USUAL = ("earliest date of 2007-10-01", "will be deprecated")


@dataclass(frozen=True)
class Scope:
    """What the interface adds up in one scope, US dollars: all states, all counties that it can map, and
    what it has under neither a county's code nor a name; `codes` are the states that it has."""

    states: Decimal
    counties: Decimal
    unmapped: Decimal
    rows: int
    codes: frozenset[str] = frozenset()

    @property
    def residual(self) -> Decimal:
        return self.states - self.counties


@dataclass(frozen=True)
class Totals:
    """What the interface says of all grants of a year; `agencies` has no scope, and counts foreign ones."""

    transactions: int
    agencies: Decimal
    scopes: Mapping[str, Scope]
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """Which grants: those of a fiscal year, of all agencies or of one by its name."""

    year: int
    types: tuple[str, ...]
    agency: str | None = None
    filters: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        filters: dict[str, object] = {
            "time_period": [dict(zip(("start_date", "end_date"), self.span(), strict=True))],
            "award_type_codes": list(self.types),
        }
        if self.agency:
            filters["agencies"] = self.agencies()
        object.__setattr__(self, "filters", filters)

    def span(self) -> tuple[str, str]:
        return f"{self.year - 1}-10-01", f"{self.year}-09-30"

    def agencies(self) -> list[dict[str, str]]:
        return [{"type": "awarding", "tier": "toptier", "name": self.agency or "All"}]


def answer(path: Path) -> dict:
    """The object of a reply.

    Raises
    ------
    QuarantineError : "not an answer", and see `answers.decoded`.
    """
    content = decoded(path, AGAIN, number=Decimal)
    if isinstance(content, list):
        content = {"results": content}
    if not isinstance(content, dict):
        raise QuarantineError(
            "not an answer", f"no object, but {content!r:.80}.", where=path.name, remedy=AGAIN
        )
    if "detail" in content:
        raise QuarantineError("not an answer", str(content["detail"])[:200], where=path.name, remedy=AGAIN)
    return content


def results(content: Mapping[str, object], path: Path, needed: Iterable[str]) -> list[dict]:
    """The rows of an answer, each with the keys that are needed.

    Raises
    ------
    QuarantineError : "not an answer", "column missing", "filter ignored".
    """
    rows = content.get("results")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise QuarantineError("not an answer", "no list `results`.", where=path.name, remedy=AGAIN)
    for row in rows:
        missing = [key for key in needed if key not in row]
        if missing:
            raise QuarantineError("column missing", f"a row lacks {missing[0]!r}.", where=path.name)
    for message in messages(content):
        if "not used" in message or "ignored" in message:
            raise QuarantineError("filter ignored", message, where=path.name)
    return rows


def messages(content: Mapping[str, object]) -> list[str]:
    """What the interface has to say of an answer, without what it says of every one."""
    said = content.get("messages") or []
    said = [said] if isinstance(said, str) else said
    return [text for text in map(str, said) if not any(usual in text for usual in USUAL)]


def dollars(value: object, path: Path) -> Decimal:
    """An amount to the cent.

    Raises
    ------
    QuarantineError : "not a figure".
    """
    try:
        if isinstance(value, bool | None.__class__):
            raise InvalidOperation
        amount = Decimal(str(value))
        if not amount.is_finite():
            raise InvalidOperation
        return amount.quantize(Decimal("0.01"))
    except InvalidOperation:
        raise QuarantineError("not a figure", f"{value!r} is no amount.", where=path.name) from None


def counted(content: Mapping[str, object], key: str, path: Path) -> int | Decimal | None:
    """A number of an answer, None where it is null or not there.

    Raises
    ------
    QuarantineError : "not a figure".
    """
    value = content.get(key)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | None):
        raise QuarantineError("not a figure", f"{key} is {value!r}.", where=path.name, remedy=AGAIN)
    return value


def grant_types(web: Web) -> tuple[str, ...]:
    """The award types that the publisher counts as grants, which must be those that the flows count.

    Raises
    ------
    QuarantineError : "unknown award types".
    """
    path = once(web, f"{API}references/award_types/", "award_types.json", also_later=LATER)
    found = answer(path).get("grants")
    unknown = sorted(set(found) - set(GRANTS)) if isinstance(found, dict) else ["none"]
    if unknown or not {"02", "03", "04", "05"} <= set(found):
        raise QuarantineError(
            "unknown award types",
            f"grants are {', '.join(found or unknown)} at the publisher, {', '.join(GRANTS)} here.",
            where=path.name,
            remedy="settle in analysis/grants/flows.py what the new type is.",
        )
    return tuple(sorted(found))


def agencies(path: Path) -> dict[str, tuple[int, str]]:
    """The agencies of the first tier: code to the publisher's number of it and its name."""
    rows = results(answer(path), path, ("toptier_code", "agency_id", "agency_name"))
    return {
        str(row["toptier_code"]): (int(counted(row, "agency_id", path) or 0), str(row["agency_name"]))
        for row in rows
    }


def pages(web: Web, name: str, path: str, body: Mapping[str, object]) -> list[Path]:
    """Every page of a list, in order; the answers say how many there are.

    Raises
    ------
    QuarantineError : "deep page": there is more than pages can reach; "wrong page".
    """
    found: list[Path] = []
    while True:
        number = len(found) + 1
        if number * PAGE > WINDOW:
            raise QuarantineError(
                "deep page",
                f"more than {WINDOW:,} rows, which no page reaches.",
                where=name,
                remedy="ask less.",
            )
        asked = {**body, "limit": PAGE, "page": number}
        file = once(web, f"{API}{path}", f"{name}-{number}.json", json=asked, also_later=LATER)
        found.append(file)
        content = answer(file)
        about = content.get("page_metadata")
        told = (about.get("page"), content.get("limit", PAGE)) if isinstance(about, dict) else None
        if told != (number, PAGE):
            raise QuarantineError(
                "wrong page", f"page {number} of {PAGE} rows was asked for, {told} came.", where=file.name
            )
        if not about.get("hasNext"):
            return found


def fetch_totals(web: Web, asked: Asked) -> None:
    """How many transactions, the sum by agency, and by state and by county in either scope."""
    filters = asked.filters
    once(
        web,
        f"{API}download/count/",
        "count.json",
        json={"filters": filters, "spending_level": "transactions"},
        also_later=LATER,
    )
    pages(web, "agencies", "search/spending_by_category/awarding_agency/", by_transaction(filters))
    for ours, scope in SCOPES.items():
        for layer in ("state", "county"):
            body = by_transaction(filters) | {"scope": scope, "geo_layer": layer}
            once(
                web,
                f"{API}search/spending_by_geography/",
                f"{ours}-{layer}.json",
                json=body,
                also_later=LATER,
            )


def by_transaction(filters: Mapping[str, object]) -> dict[str, object]:
    """Sums of what each action obligated, not of whole awards."""
    return {"filters": filters, "spending_level": "transactions"}


def read_totals(fetched: Path) -> Totals:
    """The totals from what was fetched.

    Raises
    ------
    QuarantineError : "reply missing", "pages do not add up", "wrong level", "doubled row", "no rows".
    """
    said: list[str] = []
    count = answer(there(fetched / "count.json"))
    number = count.get("calculated_count", count.get("calculated_transaction_count"))
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        raise QuarantineError("no rows", f"{number!r} transactions are counted.", where="count.json")
    total, seen = Decimal(0), set()
    for page in sorted(fetched.glob("agencies-*.json"), key=lambda path: int(path.stem.split("-")[1])):
        content = answer(page)
        for row in results(content, page, ("id", "name", "amount")):
            own = str(row["id"]), str(row["name"])
            if own in seen:
                raise QuarantineError("doubled row", f"{row['name']!r} is on two pages.", where=page.name)
            seen.add(own)
            total += dollars(row["amount"], page)
        said += messages(content)
    if not seen:
        raise QuarantineError("no rows", "no agency.", where="agencies-1.json")
    scopes = {}
    for ours, scope in SCOPES.items():
        layers = {}
        for layer in ("state", "county"):
            path = there(fetched / f"{ours}-{layer}.json")
            content = answer(path)
            came = tuple(content.get(key) for key in ("scope", "geo_layer", "spending_level"))
            if came != (scope, layer, "transactions"):
                raise QuarantineError(
                    "wrong level", f"{(scope, layer)} was asked for, {came} came.", where=path.name
                )
            layers[layer] = amounts(content, path, 2 if layer == "state" else 5)
            said += messages(content)
        states, counties = layers["state"], layers["county"]
        scopes[ours] = Scope(
            sum(states.values()),
            sum(amount for code, amount in counties.items() if code),
            counties.get("", Decimal(0)),
            len(counties),
            frozenset(states),
        )
    return Totals(number, total, scopes, tuple(dict.fromkeys(said)))


def amounts(content: Mapping[str, object], path: Path, width: int) -> dict[str, Decimal]:
    """An answer's amounts by code; "" is one row without a code.

    Raises
    ------
    QuarantineError : "no rows", "doubled row", "wrong unit".
    """
    found: dict[str, Decimal] = {}
    for row in results(content, path, ("shape_code", "aggregated_amount")):
        code = str(row["shape_code"] or "")
        if code in found:
            raise QuarantineError("doubled row", f"{code!r} is there twice.", where=path.name)
        if code and (len(code) != width or code.isdigit() != (width == 5)):
            raise QuarantineError("wrong unit", f"{code!r} is no code of {width} signs.", where=path.name)
        found[code] = dollars(row["aggregated_amount"], path)
    if not any(found):
        raise QuarantineError("no rows", "no area; no rows is no success.", where=path.name, remedy=AGAIN)
    return found


def there(path: Path) -> Path:
    if not path.is_file():
        raise QuarantineError("reply missing", "it was not fetched.", where=path.name, remedy=AGAIN)
    return path
