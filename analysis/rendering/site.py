"""A website: `_quarto.yml`, the navigation around every page, and the links between them."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from analysis.errors import RenderError, nearest
from analysis.rendering.options import (
    FLAG,
    asked_formats,
    check,
    check_document,
    mapping,
    name,
    names,
    one_of,
    text,
)
from analysis.rendering.page import Page, make_page, read_page, write_all
from analysis.rendering.source import Where, read_lines, read_mapping, refuse, shown
from analysis.rendering.structure import find

# Marks that would stand in a navigation as they are.
MARKS = re.compile(r"[*`$]|\]\(|\]\{|(?<!\w)_|_(?!\w)")


def unmarked(value: Any) -> str | None:
    """A rule: text without Markdown, which is not read around the pages."""
    return text(value) or ("text without Markdown marks" if MARKS.search(str(value)) else None)


SITE = {
    "title": unmarked,
    "navbar": mapping,
    "sidebar": mapping,
    "page-navigation": FLAG,
    "page-footer": unmarked,
}
HREF = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"')
GENERATOR = b'<meta name="generator" content="analysis.rendering">'
ID = re.compile(r'<[a-z][^>]*?\bid="([^"]*)"')


def a_list(value: Any) -> str | None:
    """A rule: a list; its entries are checked one by one."""
    return None if isinstance(value, list) and value else "a list"


NAVBAR = {"title": unmarked, "left": a_list, "right": a_list}
ITEM = {"href": name, "text": unmarked, "section": unmarked, "contents": a_list}


@dataclass(frozen=True)
class Item:
    """An entry of a navigation: a page or an address, or a heading over further entries."""

    label: str | None
    href: str | None
    inside: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Site:
    """What `_quarto.yml` says; `values` are the settings that stand below every page's own."""

    title: str
    pages: tuple[str, ...]
    navbar: Mapping[str, tuple[Item, ...]]
    sidebar: tuple[Item, ...]
    page_navigation: bool
    footer: str | None
    values: Mapping[str, Any]


def read_site(folder: Path) -> Site:
    """The site that `_quarto.yml` in `folder` describes.

    Raises
    ------
    RenderError : the file is absent, says what is not honoured, or names a page that does not exist.
    """
    lines = read_lines(folder / "_quarto.yml")
    values, where = read_mapping(lines, "the file")
    project, website = values.pop("project", {}), values.pop("website", {})
    for key, part in (("project", project), ("website", website)):
        if not isinstance(part, Mapping):
            refuse(where[(key,)], f"{key!r} should be a mapping.")
    check(project, {"type": one_of("website"), "render": names}, where, "project option", ("project",))
    check(website, SITE, where, "website option", ("website",))
    check_document(values, where)
    if not isinstance(project.get("render"), list) or "type" not in project:
        refuse(lines[0], "`project` needs `type: website` and `render`, the list of the site's pages.")
    pages = tuple(project["render"])
    for index, page in enumerate(pages):
        line = where[("project", "render", index)]
        if "/" in page or not page.endswith(".qmd") or not (folder / page).is_file():
            refuse(line, f"{page!r} is no .qmd file in the site's folder.")
        if page in pages[:index]:
            refuse(line, f"{page!r} is listed twice.")
    navbar, sidebar = website.get("navbar", {}), website.get("sidebar", {})
    check(navbar, NAVBAR, where, "navbar option", ("website", "navbar"))
    check(sidebar, {"contents": a_list}, where, "sidebar option", ("website", "sidebar"))
    return Site(
        title=str(navbar.get("title", website.get("title", ""))),
        pages=pages,
        navbar={
            side: _items(navbar.get(side, []), ("website", "navbar", side), where, pages)
            for side in ("left", "right")
        },
        sidebar=_items(sidebar.get("contents", []), ("website", "sidebar", "contents"), where, pages),
        page_navigation=bool(website.get("page-navigation", False)),
        footer=website.get("page-footer"),
        values=values,
    )


def _items(
    entries: Sequence[Any], under: tuple[str | int, ...], where: Where, pages: Sequence[str]
) -> tuple[Item, ...]:
    out = []
    for index, entry in enumerate(entries):
        path = (*under, index)
        given = {"href": entry} if isinstance(entry, str) else entry
        if not isinstance(given, Mapping):
            refuse(where[path], "an entry is a page's name or `href:` and `text:`.")
        if not isinstance(entry, str):
            check(given, ITEM, where, "navigation option", path)
        href = given.get("href")
        if (href is None) == ("section" not in given):
            refuse(where[path], "an entry has either `href:` or `section:` with `contents:`.")
        if href is not None and href not in pages and not re.match(r"https?://|mailto:|[\w-]+\.html$", href):
            refuse(where[path], f"{href!r} is neither a page of this site, nor a .html file, nor an address.")
        inside = _items(given.get("contents", []), (*path, "contents"), where, pages)
        out.append(Item(given.get("text", given.get("section")), href, inside))
    return tuple(out)


def navigation(site: Site, titles: Mapping[str, str], current: str) -> dict[str, str]:
    """The template's variables for one page, as HTML: navbar, sidebar, previous and next, footer.

    Parameters
    ----------
    titles : every page's title, by its name.
    current : the name of the page that these stand around.
    """
    out = {"site-title": html.escape(site.title)} if site.title else {}
    sides = [_list(items, titles, current) for items in site.navbar.values() if items]
    if sides:
        name = html.escape(site.title)
        home = f'<a class="site-title" href="index.html">{name}</a>'
        title = home if "index.qmd" in site.pages else f'<p class="site-title">{name}</p>'
        out["navbar"] = "\n".join(['<nav aria-label="Site">', title, *sides, "</nav>"])
    if site.sidebar:
        inner = _list(site.sidebar, titles, current)
        out["sidebar"] = f'<nav class="sidebar" aria-label="Pages">\n{inner}\n</nav>'
    if site.page_navigation:
        out["prevnext"] = _previous_and_next(reading_order(site), titles, current)
    if site.footer:
        out["footer"] = html.escape(site.footer)
    return {key: value for key, value in out.items() if value}


def reading_order(site: Site) -> list[str]:
    """The pages as the sidebar, else the navbar's left side, else the list of pages puts them."""
    flat = _pages(site.sidebar) or _pages(site.navbar.get("left", ()))
    return list(dict.fromkeys(flat)) or list(site.pages)


def _pages(items: Sequence[Item]) -> list[str]:
    out: list[str] = []
    for item in items:
        out += [item.href] if item.href and item.href.endswith(".qmd") else []
        out += _pages(item.inside)
    return out


def _address(href: str) -> str:
    return html.escape(re.sub(r"\.qmd$", ".html", href))


def _list(items: Sequence[Item], titles: Mapping[str, str], current: str) -> str:
    rows = []
    for item in items:
        label = html.escape(str(item.label or titles.get(item.href or "", item.href)))
        here = ' aria-current="page"' if item.href == current else ""
        own = f'<a href="{_address(item.href)}"{here}>{label}</a>' if item.href else f"<p>{label}</p>"
        rows.append(f"<li>{own}{_list(item.inside, titles, current) if item.inside else ''}</li>")
    return "<ul>\n" + "\n".join(rows) + "\n</ul>"


def _previous_and_next(order: Sequence[str], titles: Mapping[str, str], current: str) -> str:
    if current not in order:
        return ""
    at = order.index(current)
    around = (("prev", "Previous", at - 1), ("next", "Next", at + 1))
    names = [html.escape(titles[name]) for name in order]
    links = [
        f'<a class="{kind}" rel="{kind}" href="{_address(order[i])}">{label}: {names[i]}</a>'
        for kind, label, i in around
        if 0 <= i < len(order)
    ]
    return '<nav class="page-navigation" aria-label="Previous and next page">' + "\n".join(links) + "</nav>"


def render_site(
    reports: Path, out: Path, *, cache: Path | None = None, only: Sequence[str] = ()
) -> list[Path]:
    """Render the website in `reports` into the folder `out`; returns every file that was written.

    Nothing is written before every page is made and every link is checked. Pages of an earlier run that the
    site no longer has are deleted.

    Parameters
    ----------
    only : the names of some pages, which alone are made; places on other pages that they link to are then not
        checked. All pages where none is named.
    cache : a folder outside `out` for what the cells gave back: a page whose inputs did not change is not
        run again. None runs every page.

    Raises
    ------
    RenderError : whatever is wrong with the site or a page, with file and line.
    """
    reports = Path(reports).resolve()
    site = read_site(reports)
    for asked in only:
        if asked not in site.pages:
            where = shown(reports / "_quarto.yml")
            raise RenderError(f"{where}: the site has no page {asked!r}.{nearest(asked, site.pages)}")
    pages = {
        name: read_page(reports / name, site.values, site_file=reports / "_quarto.yml") for name in site.pages
    }
    out = Path(out)
    made = _made(site, pages, out, cache, only or site.pages)
    contents = {path.name: data.decode("utf-8") for path, data in made.items() if path.suffix == ".html"}
    places = {path.name: set(ID.findall(contents.get(path.name, ""))) for path in made}
    for other in set(pages) - set(only) if only else ():
        places |= {f"{Path(other).stem}.{kind}": None for kind in asked_formats(pages[other].values)}
    for page in [pages[each] for each in only or pages]:
        for target in linked_files(page, contents[f"{page.source.stem}.html"], places):
            made[out / target] = (reports / target).read_bytes()
    if not only:
        _delete_old(out, made)
    return write_all(made)


def _made(
    site: Site, pages: Mapping[str, Page], out: Path, cache: Path | None, wanted: Sequence[str]
) -> dict[Path, bytes]:
    """Every wanted page in every format. Where one fails, the others' kernels are killed at once."""
    titles = {name: page.title for name, page in pages.items()}
    stop = threading.Event()

    def make(name: str) -> dict[Path, bytes]:
        around = navigation(site, titles, name)
        return make_page(pages[name], out=out, pages=site.pages, around=around, cache=cache, stop=stop)

    # Two at a time: most of a page's time is its kernel starting and importing.
    with ThreadPoolExecutor(max_workers=2) as pool:
        try:
            futures = [pool.submit(make, name) for name in wanted]
            for future in as_completed(futures):
                future.result()
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
    return {path: content for future in futures for path, content in future.result().items()}


def _delete_old(out: Path, made: Mapping[Path, bytes]) -> None:
    """Delete the pages in `out` that bear the template's mark and were not made, each with its PDF."""
    for path in sorted(out.glob("*.html")):
        if GENERATOR in path.read_bytes():
            for old in (path, path.with_suffix(".pdf")):
                if old not in made:
                    old.unlink(missing_ok=True)


def linked_files(page: Page, text: str, places: Mapping[str, set[str] | None]) -> list[str]:
    """The files beside the pages that a page links to, which go with it.

    Parameters
    ----------
    text : the page as HTML.
    places : what can be linked to in each file of the site, by its name; None where that is not known.

    Raises
    ------
    RenderError : a link to a place that another page does not have, or to a file that is not in the folder.
    """
    files = []
    for raw in HREF.findall(text):
        href = html.unescape(raw)
        if not href or href.startswith("#") or re.match(r"[a-zA-Z][\w+.-]*:", href):
            continue
        name, _, place = href.partition("#")
        name = unquote(name)
        if name in places:
            if place and places[name] is not None and place not in places[name]:
                source = f"{name.removesuffix('.html')}.qmd#{place}"
                refuse(find(page.lines, source), f"the link to {source} names no place on that page.")
            continue
        path = page.source.parent / name
        if not (page.source.parent in path.resolve().parents and path.is_file()):
            refuse(find(page.lines, href), f"the link to {href} names no file in the site's folder.")
        files.append(name)
    return list(dict.fromkeys(files))
