"""The federal lists, from the pages that print them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.provenance import read_origin
from analysis.refresh import listed, pages
from analysis.refresh.command import Outcome
from analysis.refresh.faults import QuarantineError, RefreshError, UsageError
from analysis.refresh.lists import ARCHIVE, ISSUERS
from analysis.sources import lists
from tests.conftest import REPOSITORY
from tests.refresh.conftest import ORIGINALS, needs_originals, tree
from tests.refresh.publisher import Publisher, Reply

Refreshed = Callable[..., Outcome]
DOJ, DHS = ISSUERS["doj"][2], ISSUERS["dhs"][2]
CAPTURE = ARCHIVE.format("20250531", DHS)
ABOUT = "<ul><li>Public Declarations: Cities, states, or counties that declare themselves</li></ul>"


def justice(**changes: list[str]) -> dict[str, list[str]]:
    """The entries of 2025-08-05 by heading, as the press reprinted them."""
    with (REPOSITORY / "data/raw/lists/doj-2025-08-05/listings.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    headings = {"States": "state", "Counties": "county", "Cities": "place"}
    found = {
        name: [row["text_as_published"] for row in rows if row["level"] == level]
        for name, level in headings.items()
    }
    assert sum(map(len, found.values())) == 35
    return found | changes


def as_items(entries: dict[str, list[str]], heading: str = "h3") -> str:
    return "".join(
        f"<{heading}>{name}:</{heading}><ul>{''.join(f'<li><p>{text}</p></li>' for text in texts)}</ul>"
        for name, texts in entries.items()
    )


def as_lines(entries: dict[str, list[str]]) -> str:
    return "".join(
        f"<p><strong>{name.upper()}:</strong></p><p>{'<br>'.join(texts)}</p>"
        for name, texts in entries.items()
    )


def as_cells(entries: dict[str, list[str]]) -> str:
    return "".join(
        f"<h2>{name}</h2><table>{''.join(f'<tr><td>{text}</td></tr>' for text in texts)}</table>"
        for name, texts in entries.items()
    )


def html(
    body: str, title: str = "Office of the Attorney General | U.S. Sanctuary Jurisdiction List"
) -> Reply:
    text = f"""<!DOCTYPE html><html><head><title>{title}</title><script>var states = "STATES:";</script></head><body>
    <nav><ul><li><a href="/">Home</a></li><li>News</li></ul></nav><h1>List</h1>{ABOUT}{body}
    <p>Updated October 31, 2025</p><footer><ul><li>Privacy</li></ul><p>950 Pennsylvania Avenue, NW</p></footer></body></html>"""
    return Reply(text.encode(), headers={"Content-Type": "text/html"})


@pytest.mark.parametrize("shape", [as_items, as_lines, as_cells])
def test_the_page_of_justice_is_read(
    refreshed: Refreshed, project: Path, publisher: Publisher, shape: Callable
) -> None:
    entries = justice()
    entries["States"].remove("Nevada")
    publisher.answers[DOJ] = html(shape(entries))
    done = refreshed("lists", because="the fixture's list is short")
    assert (done.state, done.made.vintage) == ("accepted", "doj-2025-10-31")
    frame = lists.read("doj-2025-10-31")
    assert frame["text_as_published"].tolist() == [text for texts in entries.values() for text in texts]
    assert frame["page_order"].tolist() == list(range(1, 35))
    assert frame["level"].value_counts().to_dict() == {"place": 18, "state": 12, "county": 4}
    assert frame.loc[frame["text_as_published"] == "New York City, NY", "state_abbr"].tolist() == ["NY"]
    origin = read_origin("lists", "doj-2025-10-31")
    assert origin["as_of"] == "2025-10-31" and "page.html" in origin["files"]
    assert len(publisher.seen) == 1 and publisher.seen[0].url == DOJ


def with_real_lists(project: Path) -> None:
    shutil.rmtree(project / "data" / "raw" / "lists")
    shutil.copytree(REPOSITORY / "data" / "raw" / "lists", project / "data" / "raw" / "lists")


@pytest.mark.fault("F61")
def test_what_is_added_and_removed_is_told(refreshed: Refreshed, project: Path, publisher: Publisher) -> None:
    with_real_lists(project)
    entries = justice()
    entries["States"].remove("Nevada")
    entries["Counties"].remove("Baltimore County, MD")
    publisher.answers[DOJ] = html(as_items(entries))
    assert refreshed("lists").state == "nothing new"
    entries["Cities"].append("Santa Fe, NM")
    publisher.answers[DOJ] = Reply(
        html(as_items(entries)).body.replace(b"October 31, 2025", b"January 9, 2026")
    )
    done = refreshed("lists", dry_run=True)
    assert done.made.vintage == "doj-2026-01-09" and done.made.before == "doj-2025-10-31"
    assert "1 added, 0 removed, 0 changed" in "\n".join(done.lines)
    assert "+ NM | place | Santa Fe, NM" in "\n".join(done.lines)
    assert len(publisher.seen) == 2


def capture(states: dict[str, dict[str, list[str]]]) -> str:
    body = "".join(
        f'<h4 class="usa-accordion__heading"><button>{state}</button></h4><div>'
        + "".join(
            f"<h3>{level}</h3><ul>{''.join(f'<li>{text}</li>' for text in texts)}</ul>"
            for level, texts in levels.items()
        )
        + "</div>"
        for state, levels in states.items()
    )
    return f"<h2>Sanctuary Jurisdiction List</h2>{body}<h4>Keywords</h4><ul><li>Immigration</li></ul>"


ENTRIES = {
    "Alaska": {"Cities": ["City of Anchorage"]},
    "Delaware": {
        "State": ["Self-Identification as a State Sanctuary Jurisdiction"],
        "Cities": ["Camden", "Delaware"],
    },
    "New York": {
        "Counties": ["Washington County"],
        "Cities": ["New York", "<script>alert(1)</script>Ithaca &amp; Town"],
    },
}


@pytest.mark.fault("F10", "F73")
def test_the_archived_page_of_homeland_security_is_read(
    refreshed: Refreshed, project: Path, publisher: Publisher
) -> None:
    stamped = CAPTURE.replace("20250531id_", "20250531211055id_")
    publisher.answers[CAPTURE] = Reply(b"", 302, {"Location": stamped})
    publisher.answers[stamped] = html(capture(ENTRIES), "Sanctuary Jurisdictions | Homeland Security")
    shutil.rmtree(project / "data" / "raw" / "lists" / "dhs-2025-05-31")
    (project / "params.yaml").write_text((project / "params.yaml").read_text().replace("dhs-2025-05-31,", ""))
    done = refreshed("lists", vintage="dhs-2025-05-31", because="a fixture")
    assert done.state == "accepted" and [seen.url for seen in publisher.seen] == [CAPTURE, stamped]
    frame = lists.read("dhs-2025-05-31")
    assert frame["text_as_published"].tolist() == [
        "City of Anchorage",
        "Self-Identification as a State Sanctuary Jurisdiction",
        "Camden",
        "Delaware",
        "Washington County",
        "New York",
        "Ithaca & Town",
    ]
    assert frame["state_abbr"].tolist() == ["AK", "DE", "DE", "DE", "NY", "NY", "NY"]
    assert stamped in read_origin("lists", "dhs-2025-05-31")["note"]


BAD_PAGES = {
    "another day": (
        CAPTURE,
        Reply(b"", 302, {"Location": CAPTURE.replace("20250531", "20250613")}),
        "another day",
    ),
    "page not found": (DOJ, html("", "Page Not Found | Department of Justice"), "soft 404"),
    "404": (DOJ, Reply(b"gone", 404), "not found"),
    "front page": (DOJ, Reply(b"", 301, {"Location": "https://www.justice.gov/"}), "front page"),
    "no list": (DOJ, html("<p>The list is being reviewed.</p>"), "no list"),
    "no state": (
        DOJ,
        html(as_items(justice(Cities=["Springfield", "Boston, MA"]))),
        "unknown entry.*'Springfield'",
    ),
    "no state in lines": (
        DOJ,
        html(as_lines(justice(Cities=["Springfield", "Boston, MA"]))),
        "unknown entry.*'Springfield'",
    ),
    "a state that is none": (
        DOJ,
        html(as_items(justice(States=["California", "Jefferson"]))),
        "unknown entry.*'Jefferson'",
    ),
    "another day than its own": (
        DOJ,
        html(as_items(justice())),
        "looks wrong.*2025-09-26 was asked for, but the page says",
    ),
    "many gone": (DOJ, html(as_items(justice(Cities=["Boston, MA"]))), "looks wrong.*18 entries.*has 33"),
    "unknown heading": (
        CAPTURE,
        html(capture(ENTRIES).replace("<h3>Counties</h3>", "<h3>Boroughs</h3>")),
        "unknown heading.*'Boroughs'",
    ),
    "a heading that is new": (
        DOJ,
        html(as_items(justice(Towns=["Princeton, NJ"]))),
        "unknown heading.*'Princeton, NJ' stands under 'Towns:'",
    ),
    "a heading that is renamed": (
        DOJ,
        html(as_items(justice()).replace("States:", "State Jurisdictions:")),
        "no list.*States and Cities",
    ),
    "cities within a county": (
        DOJ,
        html(
            as_items(justice()).replace(
                "<p>Cook County, IL</p>", "Cook County, IL<ul><li>Evanston, IL</li></ul>"
            )
        ),
        "unknown heading|looks wrong|unknown entry",
    ),
    "half a page": (DOJ, Reply(html(as_items(justice())).body[:-800]), "truncated page"),
    "latin-1": (
        DOJ,
        Reply(html(as_items(justice(Cities=["Cañon, CO"]))).body.decode().encode("latin-1")),
        "wrong encoding",
    ),
    "UTF-16": (DOJ, Reply(html(as_items(justice())).body.decode().encode("utf-16")), "wrong type"),
    "lost letters": (DOJ, html(as_items(justice(Cities=["Ca\ufffdon, CO"]))), "wrong encoding"),
    "JSON": (DOJ, Reply(b'{"status": "errored"}'), "wrong type"),
    "a PDF": (DOJ, Reply(b"%PDF-1.4\n%broken"), "wrong type"),
}


@pytest.mark.fault("F17", "F72")
@pytest.mark.parametrize("fault", BAD_PAGES)
def test_a_page_that_is_no_list_is_put_aside(
    refreshed: Refreshed, project: Path, publisher: Publisher, fault: str
) -> None:
    with_real_lists(project)
    url, publisher.answers[url], message = BAD_PAGES[fault]
    publisher.answers[CAPTURE.replace("20250531", "20250613")] = html(capture(ENTRIES))
    before = tree(project / "data")
    options = {"vintage": "dhs-2025-05-31"} if url == CAPTURE else {}
    options |= {"vintage": "doj-2025-09-26"} if fault == "another day than its own" else {}
    with pytest.raises(RefreshError, match=message):
        refreshed("lists", **options)
    assert tree(project / "data") == before and len(before) > 10
    assert len(publisher.seen) == (2 if fault == "another day" else 1)


def test_names_of_vintages_are_checked(refreshed: Refreshed, publisher: Publisher, tmp_path: Path) -> None:
    for name in ("2025-05-31", "dhs-2025-13-01", "../../etc"):
        with pytest.raises(UsageError, match="no vintage"):
            refreshed("lists", vintage=name)
    file = tmp_path / "saved.html"
    file.write_bytes(html(capture(ENTRIES)).body)
    with pytest.raises(UsageError, match=r"no day.*--vintage dhs-DAY"):
        refreshed("lists", files=(file,))
    assert publisher.seen == []


def test_a_broken_pdf_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.pdf"
    file.write_bytes(b"%PDF-1.4\n1 0 obj << /Type /Catalog")
    with pytest.raises(QuarantineError, match=r"not a PDF.*broken.pdf"):
        listed.lines_of(file)


def test_a_page_that_declares_another_encoding_is_read_in_it(
    refreshed: Refreshed, project: Path, publisher: Publisher
) -> None:
    entries = justice()
    entries["Cities"][0] = "Cañon City, CO"
    text = html(as_items(entries)).body.decode()
    text = text.replace(
        "<head>", '<head><meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1">'
    )
    publisher.answers[DOJ] = Reply(text.encode("latin-1"))
    assert refreshed("lists", because="a fixture").state == "accepted" and len(publisher.seen) == 1
    assert "Cañon City, CO" in lists.read("doj-2025-10-31")["text_as_published"].tolist()


def test_a_declaration_that_is_none_begins_a_comment(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<ul><li>Boston<![x y> and</li><li>Cook<![if gte z]></li></ul>", encoding="utf-8")
    assert pages.read(file, "https://a").blocks == [("li", 1, "Boston and"), ("li", 1, "Cook")]


@needs_originals
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_half_a_print_is_no_list(
    refreshed: Refreshed, project: Path, publisher: Publisher, tmp_path: Path, share: float
) -> None:
    with_real_lists(project)
    whole = (ORIGINALS / "lists" / "dhs-sanctuary-jurisdictions-archived-2025-05-31.pdf").read_bytes()
    file = tmp_path / "half-2025-05-31.pdf"
    file.write_bytes(whole[: int(share * len(whole))])
    before = tree(project / "data")
    with pytest.raises(QuarantineError, match=r"^not a PDF: "):
        refreshed("lists", files=(file,))
    assert tree(project / "data") == before and publisher.seen == []


@needs_originals
def test_the_archived_print_gives_every_entry_in_order(
    refreshed: Refreshed, project: Path, publisher: Publisher
) -> None:
    with_real_lists(project)
    file = ORIGINALS / "lists" / "dhs-sanctuary-jurisdictions-archived-2025-05-31.pdf"
    entries = listed.by_state(listed.lines_of(file))
    accepted = lists.read("dhs-2025-05-31")
    columns = ["state_heading", "state_abbr", "level_heading", "level", "text_as_published"]
    assert [(e.state_heading, e.state, e.level_heading, e.level, e.text) for e in entries] == list(
        accepted[columns].itertuples(index=False, name=None)
    )
    assert len(entries) == 605 and accepted["page_order"].tolist() == list(range(1, 606))
    done = refreshed("lists", files=(file,))
    assert (done.state, done.made.vintage) == ("nothing new", "dhs-2025-05-31") and publisher.seen == []
