"""What SECURITY.md promises: no code from files, hardened formats, text shown as text, locks by hash, no secrets."""

from __future__ import annotations

import ast
import base64
import bz2
import errno
import gzip
import hashlib
import io
import json
import lzma
import re
import struct
import subprocess
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.downloads import safe, unsafe
from analysis.errors import AnalysisError, DataError
from analysis.grants import files as bulk
from analysis.provenance import addresses, read_yaml
from analysis.refresh import archives, listed, sheets
from analysis.refresh.faults import QuarantineError
from analysis.refresh.rosters import HEADINGS
from analysis.rendering import render_page
from analysis.rendering.page import read_page
from analysis.stages import spoken
from analysis.terminal import as_json, paragraph, plain_table
from tests import secret_scan
from tests.conftest import REPOSITORY
from tests.doors.mutations.archives import ENTITIES
from tests.doors.mutations.trees import BOMB
from tests.refresh.workbooks import workbook

# -- the code ------------------------------------------------------------------------------------------------

CODE = [
    path
    for top in ("analysis", "benchmarks", "notebooks", "tests")
    for path in sorted((REPOSITORY / top).rglob("*.py"))
]
# Modules that run what they read, read XML without defusedxml, unpack as they are told, or ask the network.
MODULES = ("pickle", "cPickle", "_pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal", "jsonpickle")
MODULES += (
    "xml",
    "lxml",
    "tarfile",
    "telnetlib",
    "ftplib",
    "smtplib",
    "requests",
    "urllib.request",
    "http.client",
)
MODULES += ("imp", "code", "codeop", "pty", "ctypes")
CALLS = ("eval", "exec", "compile", "__import__", "breakpoint", "input")
METHODS = (
    "os.system",
    "os.popen",
    "os.startfile",
    "yaml.load",
    "yaml.load_all",
    "yaml.full_load",
    "yaml.unsafe_load",
)
METHODS += (
    "tempfile.mktemp",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell",
)
ATTRIBUTES = (
    "read_pickle",
    "to_pickle",
    "read_html",
    "read_xml",
    "extractall",
    "extract_all",
    "unpack_archive",
)
SPAWN = ("run", "Popen", "call", "check_call", "check_output")
SPAWNERS = ("analysis/changes.py", "analysis/rendering/convert.py", "analysis/verify.py")
# A file and what it may do: what the README and the pages say is run, and trees of our own output are read.
ALLOWED = {
    ("tests/test_readme.py", "exec"),
    ("tests/test_readme.py", "compile"),
    ("tests/site/test_site_sentences.py", "exec"),
    ("tests/site/test_site_sentences.py", "compile"),
    ("tests/site/test_site_sentences.py", "eval"),
    ("tests/test_tables.py", "xml"),
    ("tests/test_crash.py", "ctypes"),  # takes a right from its own child process
}


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute; "" of anything else."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else f".{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def faults(text: str, name: str) -> Iterator[tuple[str, str]]:
    """What a module does that none may: (file, what)."""
    for node in ast.walk(ast.parse(text)):
        imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            imported = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        for module in imported:
            own = [each for each in MODULES if module == each or module.startswith(f"{each}.")]
            yield from ((name, each) for each in own if not module.startswith("xml.sax.saxutils"))
        if isinstance(node, ast.Call):
            called = dotted(node.func)
            keywords = {each.arg: each.value for each in node.keywords}
            if called in CALLS or called in METHODS:
                yield name, called
            if called.rpartition(".")[2] in ATTRIBUTES:
                yield name, called.rpartition(".")[2]
            for keyword in ("shell", "allow_pickle"):
                if keyword in keywords and not (
                    isinstance(keywords[keyword], ast.Constant) and keywords[keyword].value is False
                ):
                    yield name, keyword
            if isinstance(keywords.get("verify"), ast.Constant) and keywords["verify"].value is False:
                yield name, "verify=False"
            if called in {f"subprocess.{each}" for each in SPAWN}:
                if name.startswith("analysis/") and name not in SPAWNERS:
                    yield name, "subprocess"
                if node.args and isinstance(node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp):
                    yield name, "a command that is no list of words"


@pytest.mark.fault("G4")
def test_no_module_runs_what_it_reads() -> None:
    found, seen = set(), 0
    for path in CODE:
        seen += 1
        found |= set(faults(path.read_text(encoding="utf-8"), path.relative_to(REPOSITORY).as_posix()))
    assert seen > 150
    assert found - ALLOWED == set()
    assert ALLOWED - found == set(), "what is allowed and not done is allowed no longer"


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from joblib import load", "import xml.etree.ElementTree as E", "from xml.dom import minidom",
        "import yaml\nyaml.load(x)", "yaml.unsafe_load(x)", "eval('1')", "import os\nos.system('x')", "pd.read_pickle(p)",
        "frame.to_pickle(p)", "subprocess.run(['ls'], shell=True)", "subprocess.run('ls')", "subprocess.run(f'ls {x}')",
        "np.load(p, allow_pickle=True)", "archive.extractall(to)", "httpx.get(url, verify=False)", "subprocess.run(words)",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(text: str) -> None:
    assert list(faults(text, "analysis/planted.py"))


@pytest.mark.fault("F10", "F87")
def test_only_a_refresh_asks_the_network() -> None:
    askers = {
        path.relative_to(REPOSITORY).parts[1]
        for path in CODE
        if re.search(
            r"(?m)^\s*(import|from) (httpx|socket|urllib\.request)\b", path.read_text(encoding="utf-8")
        )
        and path.is_relative_to(REPOSITORY / "analysis")
    }
    assert askers == {"refresh"}


# -- files from outside --------------------------------------------------------------------------------------


@pytest.mark.fault("G3", "G4")
@pytest.mark.parametrize(
    "text",
    [
        BOMB.decode(),
        "a: &a [*a]",
        "a: !!python/object/apply:os.system [id]",
        "a: 1\na: 2",
        "? [a]\n: b",
        "a: !!set [1]",
        "a: !!map [1]",
        "a: !!timestamp 2025-13-45",
        f"a: {'[' * 5_000}",
    ],
    ids=["bomb", "circle", "call", "twice", "no text", "set", "map", "day", "deep"],
)
@pytest.mark.parametrize("read", [read_yaml, read_page])
def test_yaml_that_bites_is_refused(tmp_path: Path, text: str, read: Callable[[Path], object]) -> None:
    file = tmp_path / "a.qmd"
    file.write_text(text if read is read_yaml else f"---\n{text.strip()}\n---\n", encoding="utf-8")
    with pytest.raises(AnalysisError, match=r"not valid YAML|a key is text|is there twice"):
        read(file)


def members_of(book: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return [name for name in archive.namelist() if name.endswith((".xml", ".rels"))]


@pytest.mark.fault("G3")
@pytest.mark.parametrize("entity", ENTITIES, ids=["inside", "file", "address"])
@pytest.mark.parametrize("member", members_of(workbook()))
def test_an_entity_in_a_workbook_is_refused_or_never_looked_at(
    tmp_path: Path, member: str, entity: bytes
) -> None:
    """In whichever part it stands; some parts of a workbook are not read at all."""
    out, path = io.BytesIO(), tmp_path / "book.xlsx"
    with zipfile.ZipFile(io.BytesIO(workbook())) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            text = old.read(info)
            if info.filename == member:
                body = re.sub(rb"^<\?xml[^>]*\?>", b"", text)
                used = body.replace(b"TEXAS", b"&a;") if b"<!ENTITY" in entity else body
                text = b'<?xml version="1.0"?>' + entity + used
            new.writestr(info.filename, text)
    path.write_bytes(out.getvalue())
    # The third names a file elsewhere, which is never fetched.
    if b"<!ENTITY" not in entity or member in ("docProps/app.xml", "xl/theme/theme1.xml", "_rels/.rels"):
        rows = sheets.read(path, HEADINGS, ["addendum"]).rows
        assert len(rows) == 5 and rows[0].text("state") == "TEXAS"
        return
    with pytest.raises(QuarantineError, match=r"not a workbook.*EntitiesForbidden"):
        sheets.read(path, HEADINGS, ["addendum"])


def archive(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return out.getvalue()


OUTSIDE = ("../a.csv", "/a.csv", "a/../../b.csv", "..\\a.csv", "C:\\a.csv", "\\\\host\\a.csv")


@pytest.mark.fault("F16")
@pytest.mark.parametrize("name", OUTSIDE)
def test_a_member_that_would_leave_its_folder_is_refused_by_both_readers_of_archives(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(archive((name, b"a,b\n1,2\n")))
    with pytest.raises(AnalysisError, match=r"leave its folder|outside the archive"):
        archives.members(path)
    with pytest.raises(AnalysisError, match="outside the archive"):
        list(bulk.members(path))
    assert [each.name for each in tmp_path.iterdir()] == ["a.zip"] and not (
        tmp_path.parent / "a.csv"
    ).exists()


@pytest.mark.fault("F16", "G3")
def test_bombs_are_refused_by_ratio_and_by_cap(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(archive(("a.csv", b"0" * (101 << 20))))
    assert path.stat().st_size < 200_000
    for read in (lambda: archives.members(path), lambda: list(bulk.members(path))):
        with pytest.raises(AnalysisError, match=r"archive bomb|would expand"):
            read()
    path.write_bytes(archive(*((f"{number}.csv", b"a,b\n" * 1_000) for number in range(30))))
    with pytest.raises(QuarantineError, match=r"archive bomb.*at most 100,000"):
        archives.members(path, most=100_000)
    inner = archive(("b.csv", b"0" * (2 << 20)))
    path.write_bytes(archive(("a.csv", b"a,b\n"), ("inner.zip", inner)))
    assert [info.filename for info in archives.members(path)] == [
        "a.csv",
        "inner.zip",
    ]  # nested: never opened


def pdf_of(stream: bytes) -> bytes:
    """A PDF of one page whose content is this compressed stream."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        out
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(out)
    )


@pytest.mark.fault("G3")
def test_a_stream_of_a_pdf_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    line = b"BT /F1 9 Tf 9 9 Td (Ithaca) Tj ET\n"
    path.write_bytes(pdf_of(zlib.compress(line)))
    assert [each.text for each in listed.lines_of(path)] == ["Ithaca"]
    for stream in (b"\n" * 20_000_000, line * 60_000):
        path.write_bytes(pdf_of(zlib.compress(stream)))
        assert path.stat().st_size < 30_000
        with pytest.raises(QuarantineError, match=r"not a PDF.*Limit"):
            listed.lines_of(path)


# -- pages and tables ----------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "[x](javascript:alert(1))", "![x](http://evil/x.png)",
    "a|b`c`", "<!--", "</table></main>", "&lt;b&gt;", "`{=html}<b>`", "<svg onload=alert(1)>",
)  # fmt: skip
PAGE = """---
title: "Names"
---

```{{python}}
#| echo: false
import pandas as pd
from IPython.display import Markdown
from analysis.tables import markdown_table
names = {names!r}
Markdown(markdown_table(pd.DataFrame({{names[0]: names}})))
```

```{{python}}
#| label: fig-a
#| fig-cap: "A figure."
#| fig-alt: "A hostile label, which stands in the figure as its text and as nothing else."
#| echo: false
import matplotlib.pyplot as plt
plt.title(names[0])
plt.show()
```

Inline: `{{python}} names[0]`, `{{python}} names[1]`, `{{python}} names[2]`.
"""


class Elements(HTMLParser):
    """A page's elements with their attributes, and the text of its table."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text, self.inside, self.cells = "", 0, ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attributes}))
        self.inside += tag == "table"

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag == "table"

    def handle_data(self, data: str) -> None:
        self.text += data
        self.cells += data if self.inside else ""


@pytest.mark.fault("G2")
def test_hostile_names_are_text_on_a_page(tmp_path: Path) -> None:
    """In a table with its heading, in a sentence, in a figure: nothing of them is markup or a link."""
    source = tmp_path / "page.qmd"
    source.write_text(PAGE.format(names=list(HOSTILE)), encoding="utf-8")
    (written,) = render_page(source, tmp_path / "out")
    text = written.read_text(encoding="utf-8")
    page = Elements(text)
    assert len(page.found) > 40 and not {"script", "iframe", "object", "embed"} & {
        tag for tag, _ in page.found
    }
    for tag, attributes in page.found:
        assert not [name for name in attributes if name.startswith("on")], tag
        address = attributes.get("href", "") + attributes.get("src", "")
        assert not re.match(r"(?i)\s*(javascript|vbscript|https?):", address), address
    for name in HOSTILE:
        assert name in page.cells, name
    assert page.text.count("<script>alert(1)</script>") >= 2


def policies() -> list[Path]:
    """The renderer's template, and every page that was made."""
    return [
        REPOSITORY / "analysis" / "rendering" / "page.html",
        *sorted((REPOSITORY / "reports" / "_site").rglob("*.html")),
    ]


@pytest.mark.parametrize("path", policies(), ids=lambda path: path.name)
def test_every_page_lets_nothing_in(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    assert len(found) == 1, "one policy a page"
    rules = dict(rule.strip().partition(" ")[::2] for rule in found[0].split(";"))
    assert rules["default-src"] == "'none'" and rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe-eval" not in found[0] and not re.search(r"https?:|\*", found[0])
    assert "unsafe-inline" not in rules.get("script-src", "")
    assert text.index("Content-Security-Policy") < min(
        (text.find(mark) for mark in ("<style", "<script", "<img", "<svg") if mark in text), default=len(text)
    )


@pytest.mark.fault("F87")
def test_pages_are_made_by_the_one_template() -> None:
    convert = (REPOSITORY / "analysis" / "rendering" / "convert.py").read_text(encoding="utf-8")
    assert convert.count('"page.html"') == 1 and "<html" not in convert
    writers = [
        path
        for path in CODE
        if "<!DOCTYPE html>" in path.read_text(encoding="utf-8") and path.parts[-2] != "tests"
    ]
    assert [path for path in writers if path.is_relative_to(REPOSITORY / "analysis")] == []


@pytest.mark.fault("G2")
@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(st.sampled_from("=+-@\t\r\n'\"a1.|\uff1d \0\xa0\u200b\ufeff\u3000"), max_size=8))
def test_no_text_in_a_download_is_a_formula_and_all_of_it_comes_back(text: str) -> None:
    cell = safe(text)
    assert unsafe(cell) == text
    number = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", cell)
    assert number or not cell.startswith(tuple("\t\r\n"))
    assert number or not cell.lstrip(" \t\r\n\0\xa0\u200b\ufeff\u3000").startswith(tuple("=+-@\uff1d"))


def test_tables_for_programs_hold_the_letters_as_they_are() -> None:
    """`data/` is faithful: no apostrophe was put before a cell that the downloads guard."""
    ledger = pd.read_csv(
        REPOSITORY / "data/processed/roster_agencies.csv", dtype="str", keep_default_na=False
    )
    raw = pd.concat(
        pd.read_csv(path, dtype="str", keep_default_na=False)
        for path in sorted((REPOSITORY / "data/raw/rosters").glob("*/roster.csv"))
    )
    for column in ("agency_as_published", "county_as_published"):
        assert set(ledger[column]) == set(raw[column]) and len(ledger) > 1_000


# -- packages, secrets, the page -----------------------------------------------------------------------------


@pytest.mark.fault("F83")
@pytest.mark.parametrize("lock", sorted(REPOSITORY.glob("requirements*.lock")), ids=lambda path: path.name)
def test_every_package_is_locked_by_hash(lock: Path) -> None:
    text = re.sub(r"\\\n", " ", lock.read_text(encoding="utf-8"))
    lines = [line.split(" #")[0].strip() for line in text.splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert wanted
    for line in wanted:
        assert re.match(r"[A-Za-z0-9][\w.-]*(\[[\w,-]+\])?==[\w.!+-]+(\s|$)", line), line[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}(\s|$)", line), line[:80]
        assert not re.search(r"://|--(extra-)?index|--find-links|--trusted|@ ", line), line[:80]


def test_packages_are_installed_by_hash_alone() -> None:
    text = (REPOSITORY / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    installs = [line for line in text.splitlines() if "pip install" in line and "echo" not in line]
    assert len(installs) >= 4
    for line in installs:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation -e ." in line, line


@pytest.mark.fault("F5")
def test_no_secret_is_in_the_commit_or_in_what_was_made() -> None:
    count, said = secret_scan.scan((*secret_scan.committed(), *secret_scan.made()))
    assert count > 400 and said == []


PLANTED = {
    "Census key": "CENSUS_API_KEY=" + "0a1b2c3d" * 5,
    "key in an address": "https://api.census.gov/data?get=NAME&key=" + "0a1b2c3d" * 5,
    "GitHub": "token ghp_" + "Ab1" * 12,
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMII",
    "AWS": "AKIA" + "ABCDEFGH12345678",
    "user in an address": "https://me:hunter2" + "@example.org/",
}


@pytest.mark.fault("F5")
@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("packed", [False, True])
def test_a_secret_that_was_planted_is_found(tmp_path: Path, kind: str, packed: bool) -> None:
    """In a commit, in a file beside it, in an archive."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    content = PLANTED[kind].encode()
    (tmp_path / "a.txt").write_bytes(archive(("b.csv", content)) if packed else b"x\n" + content + b"\n")
    count, said = secret_scan.scan(secret_scan.made(tmp_path))
    assert count == 1 and [line for line in said if line.startswith(f"a.txt: {kind}")]
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    count, said = secret_scan.scan(secret_scan.committed(tmp_path))
    assert count == 2 and [line for line in said if line.startswith(f"a.txt: {kind}")]


def picture(kind: bytes, comment: bytes) -> bytes:
    """A PNG of one dot with a comment."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (kind, comment),
        (b"IDAT", zlib.compress(b"\0\0\0\0")),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )


def written(write: str, text: str, **options: object) -> bytes:
    """A table with a text among others, in a format of pandas."""
    out = io.BytesIO()
    others = [hashlib.sha256(str(each).encode()).hexdigest() for each in range(99)]
    getattr(pd.DataFrame({"a": [*others, text, *others]}), write)(out, **options)
    return out.getvalue()


COMMENT = b"Comment\0\0"
PACKED = {
    "zip in zip": lambda text: archive(("a.zip", archive(("a.txt", text)))),
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "parquet": lambda text: written("to_parquet", text.decode(), compression="zstd"),
    "parquet, gzip": lambda text: written("to_parquet", text.decode(), compression="gzip"),
    "feather": lambda text: written("to_feather", text.decode(), compression="zstd"),
    "workbook": lambda text: written("to_excel", text.decode(), engine="openpyxl"),
    "stata": lambda text: written("to_stata", text.decode()),
    "picture": lambda text: picture(b"zTXt", COMMENT + zlib.compress(text)),
    "picture, another language": lambda text: picture(
        b"iTXt", b"Comment\0\1\0en\0Comment\0" + zlib.compress(text)
    ),
    "picture in a page": lambda text: (
        b'<img src="data:image/png;base64,%s">' % base64.b64encode(picture(b"tEXt", COMMENT + text))
    ),
    "PDF": lambda text: pdf_of(zlib.compress(b"BT (%s) Tj ET" % text)),
    "two bytes a letter": lambda text: text.decode().encode("utf-16"),
    "notebook": lambda text: json.dumps({"cells": [{"source": [text.decode() + "\n"]}]}).encode(),
}


@pytest.mark.fault("F5")
@pytest.mark.parametrize("form", PACKED)
def test_a_secret_that_is_packed_is_found(form: str) -> None:
    """Each time inside many letters, so that it stands nowhere as it is."""
    filler = b" ".join(hashlib.sha256(bytes([each])).hexdigest().encode() for each in range(200))
    for kind in ("GitHub", "Census key"):
        secret = PLANTED[kind].encode()
        most = 120 if form in ("stata", "workbook") else len(filler)
        content = PACKED[form](filler[:most] + b" " + secret + b" ")
        assert kind in {found for found, _ in secret_scan.found_in(content)}, kind
        assert not list(secret_scan.found_in(PACKED[form](filler[:most])))
        assert not list(secret_scan.found_in(content[: len(content) // 3])), "damaged, and no error"


@pytest.mark.fault("G2")
def test_a_terminal_is_shown_what_would_steer_it() -> None:
    """In a table, a sentence, JSON and an error: no sign that a terminal obeys, or that turns letters about."""
    hostile = "Kendall \x1b[31mCounty\x1b]0;owned\x07 \x9b2J\x7f\u202eevil\u200b\r"
    frame = pd.DataFrame({"a\x1b[31m": [hostile, "Cañon City"]})
    said = (
        plain_table(frame),
        plain_table(frame, within=30),
        paragraph(hostile),
        paragraph(hostile, 40),
        as_json({"a": hostile, "rows": frame}),
        spoken(DataError(f"no county {hostile}.", file=f"a{hostile}.csv", column=hostile)),
        spoken(PermissionError(errno.EACCES, "Permission denied", hostile)),
    )
    for text in said:
        odd = [sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf") and sign != "\n"]
        assert odd == [] and "Kendall" in text, text
    assert json.loads(said[4])["a"] == hostile, "programs get every letter"
    assert "Cañon City" in said[0]


def test_the_page_on_security_says_how_to_report() -> None:
    text = " ".join((REPOSITORY / "SECURITY.md").read_text(encoding="utf-8").split())
    stated = addresses()
    assert ("states no address" in stated) == ("states no address" in text), (
        "an address was added: name it there"
    )
    for word in ("defusedxml", "apostrophe", "Content-Security-Policy", "tests.doors", "hash"):
        assert word in text
