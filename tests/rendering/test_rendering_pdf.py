"""The PDF: its text, its pages, its tags."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest


@pytest.fixture(scope="module")
def text(site) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    run = ["pdftotext", "-layout", str(site.out / "index.pdf"), "-"]
    done = subprocess.run(run, capture_output=True, check=True, encoding="utf-8")
    return done.stdout


def test_title_block_captions_and_references(text):
    flat = " ".join(text.replace("\u200b", "").split())
    for part in (
        "Everything honoured & more",
        "A page that uses each feature",
        "First Author, Second Author",
        "November 22, 2026",
        "Contents",
        "1.1 An included section",
        "Figure 1: A line with emphasis.",
        "(b) Second",
        "Figure 3: A caption by div with 42.",
        "Table 2: A wide table by hand",
        "see Section 1, Section 1.1, Fig. 1, 1 and Figure 2 (a); Table 1, Table 2.",
        "Warning: Do not use for",
        "Firth, David. 1993.",
        "The note’s text.",
        "is_in_listed_",
    ):
        assert part in flat, part


def test_no_markup_is_left(text):
    assert len(text) > 1000
    prose = re.sub(r"(?s)```\{python\}.*?\.unclosed\}", "", text).replace("{{< var x >}}", "")
    for mark in ("{#", "{.", "```", "{{<", "**", "@fig", "@tbl", "[^", "fig-alt", "#block", "#image"):
        assert mark not in prose, mark


def test_pages_are_numbered(text):
    pages = text.split("\f")[:-1]
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert page.replace(" ", "").rstrip().endswith(f"{number}/{len(pages)}")


def test_tagged_with_links_and_without_a_clock(site):
    content = (site.out / "index.pdf").read_bytes()
    assert re.search(rb"/MarkInfo\s*<<\s*/Marked true", content)
    assert b"/StructTreeRoot" in content and b"/Alt" in content and b"/Lang" in content
    assert content.count(b"/Link") > 10
    assert b"pdfuaid" in content
    dates = re.findall(rb"D:(\d{8})", content)
    assert all(date == b"20261122" for date in dates), dates
