"""The website: navigation, accessibility of every page, the cache, no network."""

from __future__ import annotations

import json
import re

import pytest

import analysis.rendering.cache as cache_module
import analysis.rendering.page as page_module
from analysis.errors import RenderError
from analysis.rendering import render_page, render_site
from analysis.rendering.convert import HERE


def test_written_files(site):
    names = [path.name for path in site.written]
    assert names == ["index.html", "index.pdf", "second.html", "data.csv"]
    assert sorted(path.name for path in site.out.iterdir()) == sorted(names)
    assert (site.out / "data.csv").read_bytes() == (site.source / "data.csv").read_bytes()


def test_navigation(index, second):
    bar = index.all("nav")[0]
    assert bar.attributes["aria-label"] == "Site"
    assert [a.text for a in bar.all("a")] == [
        "Test <site>",
        "Everything honoured & more",
        "Second page",
        "Elsewhere",
    ]
    current = [a.attributes["href"] for a in index.all("a") if a.attributes.get("aria-current") == "page"]
    assert current == ["index.html", "index.html"], "once in the navbar, once in the sidebar"
    side = index.one("nav", class_="sidebar")
    assert [p.text for p in side.all("p")] == ["More"] and side.all("a")[-1].text == "Second"
    assert index.one("nav", class_="page-navigation").one("a").text == "Next: Second"
    assert second.one("nav", class_="page-navigation").one("a").attributes["rel"] == "prev"
    assert index.one("footer").text == "A footer."
    assert index.one("p", class_="formats").one("a").attributes["href"] == "index.pdf"
    assert not second.all("p", class_="formats")


def test_landmarks_and_skip_link(index, second):
    for page in (index, second):
        first = page.one("body").all("a")[0]
        assert first.classes == ["skip-link"] and first.attributes["href"] == "#Main"
        assert page.one("main").attributes["id"] == "Main"
        assert all("aria-label" in n.attributes or "aria-labelledby" in n.attributes for n in page.all("nav"))
        assert all(i.attributes.get("alt") for i in page.all("img"))
        named = {n.attributes["id"] for n in page.all() if "id" in n.attributes}
        assert len(named) > 1
        for key in ("for", "aria-labelledby"):
            assert all(n.attributes[key] in named for n in page.all() if key in n.attributes)


@pytest.mark.fault("F87")
def test_nothing_is_fetched(site):
    pages = list(site.out.glob("*.html"))
    assert len(pages) == 2
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert "default-src 'none'" in text
        assert not re.findall(r"<(?:script|link|iframe|object|embed)\b", text)
        assert not re.findall(r"""\bsrc=["'](?!data:)""", text)
        assert not re.findall(r"url\(|@import", text)


def test_no_path_of_the_machine(site):
    files = [path for path in site.out.iterdir() if path.suffix in (".html", ".pdf")]
    assert len(files) == 3
    for path in files:
        content = path.read_bytes()
        for place in (site.source, site.out, HERE):
            assert str(place).encode() not in content


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A site of two pages whose cells are counted instead of run: `render()` says which pages ran.

    The project is one file of data, so that nothing else on the machine decides whether a page runs.
    """
    source = tmp_path / "source"
    source.mkdir()
    (tmp_path / "data.csv").write_text("a\n1\n")
    (source / "_quarto.yml").write_text("project: {type: website, render: [one.qmd, two.qmd]}\n")
    (source / "_variables.yml").write_text("x: 1\n")
    (source / "_part.qmd").write_text("A part.\n")
    (source / "one.qmd").write_text("{{< include _part.qmd >}}\n\nA sum: `{python} 20 + 1`.\n")
    (source / "two.qmd").write_text("A sum: `{python} 20 + 1`.\n\n[one](one.qmd)\n")
    ran: list[int] = []
    monkeypatch.setattr(cache_module, "_project_files", lambda: [("data.csv", tmp_path / "data.csv")])
    monkeypatch.setattr(page_module, "run", lambda *_: ran.append(1) or [[{"kind": "value", "data": "21"}]])

    def render() -> int:
        ran.clear()
        pages = render_site(source, tmp_path / "out", cache=tmp_path / "cache")
        assert [page.name for page in pages] == ["one.html", "two.html"]
        assert all("A sum: 21." in page.read_text() for page in pages)
        return len(ran)

    return source, render


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        ("one.qmd", 1),
        ("_part.qmd", 1),
        ("_variables.yml", 2),
        ("_quarto.yml", 2),
        ("../data.csv", 2),
        ("local.csv", 2),
        ("helper.py", 2),
        ("folder/deep.csv", 2),
        ("../out/one.html", 0),
        ("_site/one.html", 0),
        ("__pycache__/helper.pyc", 0),
    ],
)
def test_only_what_a_page_could_have_read_runs_it_again(name, pages, small):
    source, render = small
    assert render() == 2
    assert render() == 0
    (source / name).parent.mkdir(exist_ok=True)
    with (source / name).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    assert render() == pages
    assert render() == 0


@pytest.mark.fault("F78")
def test_a_cut_off_cache_is_no_cache(small):
    source, render = small
    assert render() == 2
    kept = source.parent / "cache" / "one.json"
    whole = kept.read_text()
    for broken in ("", whole[:5], "[]", "{}", "null"):
        kept.write_text(broken)
        assert render() == 1, broken
        assert kept.read_text() == whole


def test_code_and_data_of_the_project_are_part_of_the_key():
    names = [name for name, _ in cache_module._project_files()]
    assert "analysis/rendering/cache.py" in names and {
        "params.yaml",
        "benchmarks/size_and_coverage.csv",
    } <= set(names)
    for folder in ("raw", "corrections", "processed"):
        assert any(name.startswith(f"data/{folder}/") for name in names), folder


def test_the_site_from_its_cache_has_the_same_bytes(site, tmp_path, monkeypatch):
    kept = {path.stem: json.loads(path.read_text())["results"] for path in site.cache.iterdir()}
    assert sorted(kept) == ["index", "second"]
    monkeypatch.setattr(page_module.kept, "through", lambda folder, read, run, out: kept[read[0].stem])
    again = render_site(site.source, tmp_path / "out", cache=site.cache)
    assert len(again) == 4
    assert all(path.read_bytes() == (site.out / path.name).read_bytes() for path in again)


def test_an_empty_page_and_names_that_are_markup(tmp_path):
    page = tmp_path / "page.qmd"
    page.write_text(
        '---\ntitle: "<script>alert(1)</script> & Co"\nauthor: "<b>"\n---\n\nLa Cañada `<script>`.\n'
    )
    with pytest.raises(Exception, match="raw html"):
        render_page(page, tmp_path / "out")
    page.write_text("")
    (written,) = render_page(page, tmp_path / "out")
    assert "<main" in written.read_text()


def test_a_page_alone(site, tmp_path):
    """Links to other pages are taken on trust; a file that is linked to goes with it; nothing else is made."""
    out = tmp_path / "out"
    own = render_site(site.source, out, cache=site.cache, only=["second.qmd"])
    assert "second.html" in {path.name for path in own} and not (out / "index.html").exists()
    assert sorted(out.iterdir()) == sorted(own)
    assert 'href="index.pdf"' in (out / "second.html").read_text(encoding="utf-8")
    with pytest.raises(RenderError, match=r"no page 'secnd\.qmd'.*Nearest: 'second\.qmd'"):
        render_site(site.source, out, only=["secnd.qmd"])
    assert sorted(out.iterdir()) == sorted(own)


def test_a_navigation_may_link_to_a_file_beside_the_pages(tmp_path):
    (tmp_path / "_quarto.yml").write_text(
        "project:\n  type: website\n  render: [page.qmd]\n"
        "website:\n  navbar:\n    left:\n      - href: map.html\n        text: Map\n",
        encoding="utf-8",
    )
    (tmp_path / "page.qmd").write_text(
        "---\ntitle: A page\nlang: en\n---\n\n[One](map.html#01), [two](map.html#02).\n", encoding="utf-8"
    )
    with pytest.raises(RenderError, match=r"map\.html names no file"):
        render_site(tmp_path, tmp_path / "out")
    (tmp_path / "map.html").write_bytes(b"<!DOCTYPE html><title>Map</title>")
    written = render_site(tmp_path, tmp_path / "out")
    assert [path.name for path in written] == ["page.html", "map.html"]
    assert (tmp_path / "out" / "map.html").read_bytes() == (tmp_path / "map.html").read_bytes()
    assert '<a href="map.html">Map</a>' in (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
