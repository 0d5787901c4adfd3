"""The main report as a PDF: the committed one is the rendered one, with fonts, tags, page numbers and references."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from site_pages import REPORTS

FILE = REPORTS / "findings.pdf"


def tool(*words: str) -> str:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} (poppler-utils) is not installed")
    return subprocess.run([*words], capture_output=True, check=True, encoding="utf-8").stdout


def test_the_committed_report_is_the_rendered_one(site):
    assert FILE.read_bytes() == (site / "findings.pdf").read_bytes(), "run `dvc repro` and commit"


def test_every_font_is_embedded():
    fonts = tool("pdffonts", str(FILE)).splitlines()[2:]
    assert len(fonts) >= 3
    assert [line for line in fonts if line.split()[-5:-2] != ["yes", "yes", "yes"]] == []


def test_it_is_tagged_after_pdf_ua():
    said = tool("pdfinfo", str(FILE))
    assert re.search(r"Tagged: +yes", said) and re.search(r"Title: +Which counties", said)
    content = FILE.read_bytes()
    assert b"pdfuaid" in content and len(content) < 5_000_000


def test_references_are_resolved_and_pages_numbered():
    text = tool("pdftotext", "-layout", str(FILE), "-")
    pages = text.split("\f")[:-1]
    assert len(pages) > 3
    for number, page in enumerate(pages, start=1):
        assert page.replace(" ", "").rstrip().endswith(f"{number}/{len(pages)}")
    captions = set(re.findall(r"^\s*((?:Figure|Table)\s\d+):", text, re.M))
    named = {re.sub(r"\s", " ", name) for name in re.findall(r"(?:Figure|Table)\s\d+", text)}
    assert len(captions) >= 6 and named == {re.sub(r"\s", " ", name) for name in captions}
    assert "??" not in text and "@tbl" not in text and "@fig" not in text
    assert ".html" not in text and ".qmd" not in text


def test_links_lead_somewhere():
    content = FILE.read_bytes()
    assert content.count(b"/Link") > 10
    addresses = re.findall(rb"/URI\s*\((.*?)\)", content)
    assert [address for address in addresses if not address.startswith(b"http")] == []
