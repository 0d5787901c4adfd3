"""A website: `_quarto.yml`, the navigation around every page, and the links between them."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from analysis.provenance import replacing
from analysis.rendering.options import FLAG, check, check_document, mapping, one_of, text, texts
from analysis.rendering.page import Page, read_page, write_page
from analysis.rendering.source import Where, read_lines, read_mapping, refuse
from analysis.rendering.structure import find

SITE = {"title": text, "navbar": mapping, "sidebar": mapping, "page-navigation": FLAG, "page-footer": text}
HREF = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"')
ID = re.compile(r'<[a-z][^>]*?\bid="([^"]*)"')


def a_list(value: Any) -> str | None:
    """A rule: a list; its entries are checked one by one."""
    return None if isinstance(value, list) and value else "a list"


NAVBAR = {"title": text, "left": a_list, "right": a_list}
ITEM = {"href": text, "text": text, "section": text, "contents": a_list}


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
    for name, part in (("project", project), ("website", website)):
        if not isinstance(part, Mapping):
            refuse(where[(name,)], f"{name!r} should be a mapping.")
    check(project, {"type": one_of("website"), "render": texts}, where, "project option", ("project",))
    check(website, SITE, where, "website option", ("website",))
    check_document(values, where)
    if not isinstance(project.get("render"), list) or "type" not in project:
        refuse(lines[0], "`project` needs `type: website` and `render`, the list of the site's pages.")
    pages = tuple(project["render"])
    for index, name in enumerate(pages):
        if "/" in name or not name.endswith(".qmd") or not (folder / name).is_file():
            refuse(where[("project", "render", index)], f"{name!r} is no .qmd file in the site's folder.")
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
        if href is not None and href not in pages and not re.match(r"https?://|mailto:", href):
            refuse(where[path], f"{href!r} is neither a page of this site nor an address.")
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


def render_site(reports: Path, out: Path, *, cache: Path | None = None) -> list[Path]:
    """Render the website in `reports` into the folder `out`; returns every file that was written.

    Parameters
    ----------
    cache : a folder outside `out` for what the cells gave back: a page whose inputs did not change is not
        run again. None runs every page.

    Raises
    ------
    RenderError : whatever is wrong with the site or a page, with file and line.
    """
    reports = Path(reports).resolve()
    site = read_site(reports)
    pages = {
        name: read_page(reports / name, site.values, site_file=reports / "_quarto.yml") for name in site.pages
    }
    titles = {name: page.title for name, page in pages.items()}

    def write(name: str) -> list[Path]:
        around = navigation(site, titles, name)
        return write_page(pages[name], Path(out), pages=site.pages, around=around, cache=cache)

    # Two at a time: most of a page's time is its kernel starting and importing.
    with ThreadPoolExecutor(max_workers=2) as pool:
        written = [path for paths in pool.map(write, pages) for path in paths]
    made = {path.name: path for path in written}
    contents = {
        name: path.read_text(encoding="utf-8") for name, path in made.items() if name.endswith(".html")
    }
    places = {name: set(ID.findall(contents[name])) if name in contents else set() for name in made}
    for page in pages.values():
        for target in linked_files(page, contents[f"{page.source.stem}.html"], places):
            if target not in made:
                made[target] = Path(out) / target
                with replacing(made[target]) as beside:
                    shutil.copyfile(reports / target, beside)
    return list(made.values())


def linked_files(page: Page, text: str, places: Mapping[str, set[str]]) -> list[str]:
    """The files beside the pages that a page links to, which go with it.

    Parameters
    ----------
    text : the page as HTML.
    places : what can be linked to in each file that was made, by its name.

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
            if place and place not in places[name]:
                source = f"{name.removesuffix('.html')}.qmd#{place}"
                refuse(find(page.lines, source), f"the link to {source} names no place on that page.")
            continue
        path = page.source.parent / name
        if not (page.source.parent in path.resolve().parents and path.is_file()):
            refuse(find(page.lines, href), f"the link to {href} names no file in the site's folder.")
        files.append(name)
    return files
