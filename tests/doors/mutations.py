"""What happens to files on their way: a mutation takes a file's bytes and a source of chance, and gives bytes.

Each is of a kind that real files had: bytes lost or turned, lines doubled, columns renamed, cells that hold
codes, formulas or nothing, other separators and encodings, a page in place of a table, members of archives
exchanged, entities in XML. Where a mutation does not apply the bytes come back as they were.
"""

from __future__ import annotations

import csv
import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random

Mutation = Callable[[bytes, Random], bytes]

HOSTILE = (
    "", " ", "\t", "NaN", "nan", "inf", "-inf", "1e400", "-1e400", "1e-400", "-666666666", "-555555555.0",
    "*****", "(X)", "null", "None", "N/A", "#N/A", "=cmd()", "+1+1", "-1", "@SUM(A1)", "=1|calc", "\x00",
    "a\x00b", "0", "00000", "0x1F", "1_000", "1,000", "$1,000", "1.5", "1e5", "12345678901234567890",
    "9" * 400, "x" * 100_000, "é" * 2_000, "١٢٣٤٥", "１２３４５", "²³", "Ⅷ", "৪৫৬৭৮", "\u202e01001", "\u200f", "\ufeff", "\ufffd", "\ud7ff",
    "🜁", "İ", "ß", "ﬃ", "a\nb", "a\r\nb", '"', '""', "'", ";", "|", "2025-02-30", "0000-00-00", "6/30/20026",
    "99999-01-01", "2025-05-31", "31.05.2025", "45785", "01/20/25", "True", "<script>alert(1)</script>",
    "[x](javascript:alert(1))", "../../etc/passwd", "http://", "{{7*7}}", "%s%s%s", "\\", "01001", "1001",
    "1001.0", "ZZ", "il", "IL ", "Cook County, IL", "1", "-0.0", "+5",
)  # fmt: skip
SMALL = tuple(text for text in HOSTILE if len(text) < 1_000)
OTHER_FILES = (
    b"", b"\n", b"\x00" * 64, b"\xef\xbb\xbf", b"\xff\xfe", b"[]", b"{}", b"null", b"0", b'"x"', b"%PDF-1.4\n%%EOF",
    b"<!DOCTYPE html><html><head><title>Page Not Found</title></head><body><h1>404</h1></body></html>",
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
    b"PK\x05\x06" + b"\x00" * 18, b"PK\x03\x04", b"PAR1PAR1", b"\x89PNG\r\n\x1a\n", b"\x1f\x8b\x08\x00", b"\xd0\xcf\x11\xe0",
    b"error: rate limit\n", b"a,b\n1,2\n", b"- a\n- b\n", b"a: b\n",
)  # fmt: skip


# -- of any file --------------------------------------------------------------------------------------------


def flip(content: bytes, draw: Random) -> bytes:
    """Some bytes are others."""
    out = bytearray(content)
    for _ in range(draw.choice((1, 1, 3, 20)) if out else 0):
        out[draw.randrange(len(out))] = draw.randrange(256)
    return bytes(out)


def truncate(content: bytes, draw: Random) -> bytes:
    """The end is missing."""
    return content[: draw.randrange(len(content) + 1)]


def behead(content: bytes, draw: Random) -> bytes:
    """The beginning is missing."""
    return content[draw.randrange(len(content) + 1) :]


def cut(content: bytes, draw: Random) -> bytes:
    """A piece in the middle is missing."""
    first, last = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:first] + content[last:]


def double(content: bytes, draw: Random) -> bytes:
    """A piece is there twice."""
    first, last = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:last] + content[first:last] + content[last:]


def noughts(content: bytes, draw: Random) -> bytes:
    """A block of the disk came back as zeros."""
    at = draw.randrange(len(content) + 1)
    size = draw.choice((1, 512, 4096))
    return content[:at] + b"\x00" * size + content[at + size :]


def append(content: bytes, draw: Random) -> bytes:
    """Something stands behind the end."""
    return content + draw.choice(
        (b"\x00", b"\n", b"\x1a", b"<!-- cached -->", b"\n\n\n", content[:100], b'"')
    )


def other_file(content: bytes, draw: Random) -> bytes:
    """Another file came."""
    return draw.choice(OTHER_FILES)


def mark_of_order(content: bytes, draw: Random) -> bytes:
    """A byte order mark in front, once or twice."""
    return b"\xef\xbb\xbf" * draw.choice((1, 2)) + content


ANY = (flip, truncate, behead, cut, double, noughts, append, other_file, mark_of_order)


# -- of text ------------------------------------------------------------------------------------------------


def recoded(content: bytes, draw: Random) -> bytes:
    """Another encoding."""
    text = content.decode("utf-8", "replace")
    return text.encode(
        draw.choice(("utf-16", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp037")), "replace"
    )


def line_ends(content: bytes, draw: Random) -> bytes:
    """Other ends of lines, or several kinds."""
    lines = content.split(b"\n")
    kinds = draw.choice(((b"\r\n",), (b"\r",), (b"\n", b"\r\n"), (b"\n\n",), (b"\x0b",), (b"\xe2\x80\xa8",)))
    return b"".join(line + draw.choice(kinds) for line in lines)


def lines(content: bytes, draw: Random) -> bytes:
    """A line is missing, doubled, exchanged, halved, emptied or turned round."""
    found = content.split(b"\n")
    for _ in range(draw.choice((1, 1, 2, 10))):
        at, other = draw.randrange(len(found)), draw.randrange(len(found))
        match draw.randrange(6):
            case 0 if len(found) > 1:
                del found[at]
            case 1:
                found.insert(other, found[at])
            case 2:
                found[at], found[other] = found[other], found[at]
            case 3:
                found[at] = found[at][: len(found[at]) // 2]
            case 4:
                found[at] = b""
            case _:
                found[at] = found[at][::-1]
    return b"\n".join(found)


def words(content: bytes, draw: Random) -> bytes:
    """A word or a number is a hostile one."""
    found = list(re.finditer(rb"[\w.-]+", content))
    if not found:
        return content
    word = draw.choice(found)
    return content[: word.start()] + draw.choice(SMALL).encode() + content[word.end() :]


TEXT = (*ANY, recoded, line_ends, lines, words)


# -- of tables ----------------------------------------------------------------------------------------------


def table(content: bytes) -> list[list[str]]:
    """The records of a CSV, however broken; [] where it is none."""
    try:
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig", "surrogateescape"), newline="")))
    except csv.Error:
        return []


def to_csv(records: list[list[str]], draw: Random | None = None, **form: object) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, **{"lineterminator": "\n", **form}).writerows(records)
    return stream.getvalue().encode("utf-8", "surrogateescape")


def of_table(change: Callable[[list[list[str]], Random], None]) -> Mutation:
    """A mutation of the records of a CSV, in place; nothing where there are fewer than two."""

    def mutation(content: bytes, draw: Random) -> bytes:
        records = table(content)
        if len(records) < 2 or not records[0]:
            return content
        change(records, draw)
        return to_csv(records)

    mutation.__name__, mutation.__doc__ = change.__name__, change.__doc__
    return mutation


@of_table
def cells(records: list[list[str]], draw: Random) -> None:
    """Some cells are hostile."""
    for _ in range(draw.choice((1, 1, 1, 3))):
        record = draw.choice(records[1:])
        if record:
            record[draw.randrange(len(record))] = draw.choice(HOSTILE)


@of_table
def column_of(records: list[list[str]], draw: Random) -> None:
    """Every cell of a column is the same hostile one."""
    at, text = draw.randrange(len(records[0])), draw.choice(SMALL)
    for record in records[1:]:
        if at < len(record):
            record[at] = text


@of_table
def column_renamed(records: list[list[str]], draw: Random) -> None:
    """A heading is another, in another case, or hostile."""
    at = draw.randrange(len(records[0]))
    name = records[0][at]
    records[0][at] = draw.choice(
        (name.lower(), name.upper(), f"{name} ", f" {name}", f"{name}_2", name[:-1], *SMALL)
    )


@of_table
def column_dropped(records: list[list[str]], draw: Random) -> None:
    """A column is missing."""
    at = draw.randrange(len(records[0]))
    for record in records:
        del record[at : at + 1]


@of_table
def column_doubled(records: list[list[str]], draw: Random) -> None:
    """A column is there twice."""
    at = draw.randrange(len(records[0]))
    for record in records:
        record.append(record[at] if at < len(record) else "")


@of_table
def columns_moved(records: list[list[str]], draw: Random) -> None:
    """The columns stand in another order; or their headings alone do, and every value is another's."""
    order = list(range(len(records[0])))
    draw.shuffle(order)
    for record in records if draw.randrange(2) else records[:1]:
        record[:] = [record[at] for at in order if at < len(record)]


@of_table
def ragged(records: list[list[str]], draw: Random) -> None:
    """A record has a field too few or too many."""
    record = draw.choice(records)
    if draw.randrange(2):
        record.insert(draw.randrange(len(record) + 1), draw.choice(SMALL))
    elif record:
        del record[draw.randrange(len(record))]


@of_table
def rows(records: list[list[str]], draw: Random) -> None:
    """A record is doubled, its key another's, or all are gone but the header; or they are turned round."""
    match draw.randrange(4):
        case 0:
            records.append(list(draw.choice(records[1:])))
        case 1:
            one, other = draw.choice(records[1:]), draw.choice(records[1:])
            one[:1] = other[:1]
        case 2:
            del records[1:]
        case _:
            records[1:] = records[:0:-1]


@of_table
def unpadded(records: list[list[str]], draw: Random) -> None:
    """A spreadsheet has opened the file: zeros in front are lost, long numbers rounded, codes have points."""
    for record in records[1:]:
        for at, cell in enumerate(record):
            if cell.isdigit() and cell.isascii():
                record[at] = (
                    draw.choice((str(int(cell)), f"{int(cell)}.0"))
                    if len(cell) < 15
                    else f"{float(cell):.5E}"
                )


def dialect(content: bytes, draw: Random) -> bytes:
    """Other separators, other quotes, everything quoted or nothing."""
    records = table(content)
    form = draw.choice(
        (
            {"delimiter": ";"},
            {"delimiter": "\t"},
            {"delimiter": "|"},
            {"quotechar": "'", "quoting": csv.QUOTE_ALL},
            {"quoting": csv.QUOTE_ALL},
            {"quoting": csv.QUOTE_NONE, "escapechar": "\\"},
            {"lineterminator": "\r\n"},
        )
    )
    try:
        return to_csv(records, **form) if records else content
    except csv.Error:
        return content


CSV = (
    *TEXT,
    cells,
    column_of,
    column_renamed,
    column_dropped,
    column_doubled,
    columns_moved,
    ragged,
    rows,
    unpadded,
)
CSV = (*CSV, dialect, cells, cells, column_of)  # what is most likely to be met, more often


# -- of JSON ------------------------------------------------------------------------------------------------

VALUES = (
    None,
    True,
    False,
    0,
    -1,
    10**30,
    -666666666,
    1e308,
    0.1,
    "",
    "x",
    "NaN",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
)


def places(value: object, found: list) -> list:
    """Every container of a JSON value, with the keys that it has."""
    if isinstance(value, dict | list) and len(found) < 5_000:
        found.append(value)
        for inner in value.values() if isinstance(value, dict) else value:
            places(inner, found)
    return found


def of_json(change: Callable[[object, Random], None]) -> Mutation:
    def mutation(content: bytes, draw: Random) -> bytes:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            return content
        holders = [each for each in places(value, []) if each]
        if not holders:
            return content
        change(draw.choice(holders), draw)
        return json.dumps(value).encode("utf-8", "surrogatepass")

    mutation.__name__, mutation.__doc__ = change.__name__, change.__doc__
    return mutation


def key_in(holder: object, draw: Random) -> object:
    return draw.choice(list(holder)) if isinstance(holder, dict) else draw.randrange(len(holder))


@of_json
def json_value(holder: object, draw: Random) -> None:
    """A value is of another kind, or hostile."""
    holder[key_in(holder, draw)] = draw.choice((*VALUES, *SMALL))


@of_json
def json_dropped(holder: object, draw: Random) -> None:
    """A key or an element is missing."""
    del holder[key_in(holder, draw)]


@of_json
def json_renamed(holder: object, draw: Random) -> None:
    """A key has another name; an element of a list is there twice."""
    name = key_in(holder, draw)
    if isinstance(holder, dict):
        holder[f"{name}_"] = holder.pop(name)
    else:
        holder.append(holder[name])


def json_text(content: bytes, draw: Random) -> bytes:
    """Numbers that are none in JSON, a key twice, brackets without end."""
    match draw.randrange(4):
        case 0:
            found = list(re.finditer(rb"-?\d+(\.\d+)?", content))
            if not found:
                return content
            number = draw.choice(found)
            said = draw.choice((b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5_000, b"-0", b"1E+9999"))
            return content[: number.start()] + said + content[number.end() :]
        case 1:
            return content.replace(b"{", b'{"a": 1, "a": 2,', 1)
        case 2:
            return (b"[" if draw.randrange(2) else b'{"a":') * 200_000
        case _:
            return b"[" + content + b"," + content + b"]"


JSON = (*TEXT, json_value, json_value, json_dropped, json_renamed, json_text)


# -- of YAML ------------------------------------------------------------------------------------------------

SCALARS = (
    "", "~", "[]", "{}", "[a, b]", "{a: 1}", "2025-13-45", "2025-02-30", "!!python/object/apply:os.system [id]",
    "!!int x", "!!float x", "!!binary ###", "!!timestamp x", "!!set {a, b}", "!unknown x", "&a [*a]", "*nothing", "0o9",
    "1:60:99", ".inf", "-.nan", "yes", "1_000", "'unclosed", '"\\u0000"', '"\\ud800"', "|\n  text", "? x", "<<: 1", "@x", "`x`", "%x",
    "[" * 200, "[" * 20_000, "{" * 2_000, "99999999999999999999", "1e999", "__import__('os')", "a.b", "a + ", "log(a, b)", "a if b else c",
    "(" * 300 + "a" + ")" * 300, "-" * 5_000 + "a", "a**9**9**9", "a[0]", "lambda: 0", "B01003_001E", "x" * 10_000,
)  # fmt: skip
BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n".encode()
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def yaml_value(content: bytes, draw: Random) -> bytes:
    """The value behind a key is hostile, or of another kind."""
    found = list(re.finditer(rb"(?m)(?<=: )[^\n{}\[\],]+|(?<=:)$", content))
    if not found:
        return content
    value = draw.choice(found)
    said = draw.choice((*SCALARS, *SMALL)).encode("utf-8", "surrogatepass")
    return content[: value.start()] + b" " + said + content[value.end() :]


def yaml_key(content: bytes, draw: Random) -> bytes:
    """A key has another name, or is no text."""
    found = list(re.finditer(rb"[\w-]+(?=:)", content))
    if not found:
        return content
    key = draw.choice(found)
    said = draw.choice(
        (b"x", b"1", b"~", b"[a]", b"{a: b}", b"? [a]\n", b"2025-01-01", b"true", b"<<", b"!!x y", b"''")
    )
    return content[: key.start()] + said + content[key.end() :]


def yaml_shape(content: bytes, draw: Random) -> bytes:
    """A bomb of aliases, another indent, tabs, two documents, a key twice."""
    match draw.randrange(5):
        case 0:
            return BOMB + content
        case 1:
            return content.replace(b"\n  ", b"\n" + b" " * draw.randrange(1, 6), draw.choice((1, -1)))
        case 2:
            return content.replace(b"  ", b"\t", draw.choice((1, -1)))
        case 3:
            return content + b"\n---\n" + content
        case _:
            return content + b"\n" + content


YAML = (*TEXT, yaml_value, yaml_value, yaml_value, yaml_key, yaml_shape)


# -- of archives --------------------------------------------------------------------------------------------


UNPACKING = (ValueError, RuntimeError, NotImplementedError, OSError, EOFError)


def unzipped(content: bytes) -> list[tuple[zipfile.ZipInfo, bytes]]:
    """The members of an archive; [] where it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [(info, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, *UNPACKING):
        return []


def zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return stream.getvalue()


def of_members(content: bytes, draw: Random, change: Callable[[bytes, Random], bytes]) -> bytes:
    """The archive with one member changed; its checksum fits."""
    found = [(info.filename, data) for info, data in unzipped(content)]
    full = [at for at, (_, data) in enumerate(found) if 0 < len(data) < 10_000_000]
    if not full:
        return content
    at = max(full, key=lambda at: len(found[at][1])) if draw.randrange(2) else draw.choice(full)
    found[at] = (found[at][0], change(found[at][1], draw))
    return zipped(found)


def members(content: bytes, draw: Random) -> bytes:
    """A member is missing, doubled, renamed, outside, nested, a bomb, or packed in another way."""
    found = [(info.filename, data) for info, data in unzipped(content)]
    if not found:
        return content
    at = draw.randrange(len(found))
    name, data = found[at]
    match draw.randrange(8):
        case 0:
            del found[at]
        case 1:
            found.append((name, draw.choice(found)[1]))
        case 2:
            found[at] = (
                draw.choice((f"../{name}", f"/{name}", f"..\\{name}", f"C:{name}", f"{name}/", "x", "é.csv")),
                data,
            )
        case 3:
            found[at] = (name, zipped(found))
        case 4:
            found[at] = (name, b"\x00" * draw.choice((10**6, 2 * 10**7, 3 * 10**8)))
        case 5:
            found[at] = (name, b"")
        case 6:
            found.append(("extra.txt", b"x"))
        case _:
            return zipped(found, draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))
    return zipped(found)


def flags(content: bytes, draw: Random) -> bytes:
    """A member says that it is encrypted, or of another size, or packed in an unknown way."""
    out = bytearray(content)
    heads = [found.start() for found in re.finditer(rb"PK\x01\x02|PK\x03\x04", content)]
    if not heads:
        return content
    at = draw.choice(heads) + draw.choice((6, 8, 9, 10, 18, 20, 22, 24, 28, 42))
    out[at : at + 1] = bytes([draw.randrange(256)])
    return bytes(out)


def of_member(*mutations: Mutation) -> Mutation:
    def member_changed(content: bytes, draw: Random) -> bytes:
        """A member is changed, and the archive fits it."""
        return of_members(content, draw, draw.choice(mutations))

    return member_changed


ZIP = (*ANY, members, members, flags, of_member(*CSV), of_member(*CSV))


# -- of workbooks -------------------------------------------------------------------------------------------

ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
    b"<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'>",
)


def xml(content: bytes, draw: Random) -> bytes:
    """Part of a workbook: an element, an attribute or a text is another, missing, or doubled; or entities."""
    match draw.randrange(6):
        case 0:
            end = content.find(b"?>") + 2 if b"?>" in content else 0
            return content[:end] + draw.choice(ENTITIES) + content[end:].replace(b"</v>", b"&a;</v>", 1)
        case 1:
            found = list(re.finditer(rb'(?<==")[^"]*(?=")', content))
            said = draw.choice(
                (*SMALL, "A1048576", "XFD9", "A0", "1:1", "-1", "s", "e", "b", "str", "d", "n", "inlineStr")
            )
        case 2:
            found = list(re.finditer(rb"(?<=>)[^<]+(?=<)", content))
            said = draw.choice((*SMALL, "99999999", "-1", "1e308", "#REF!", "2958466", "-5", "60"))
        case 3:
            found, said = list(re.finditer(rb"<[^>]*>", content)), ""
        case 4:
            found = list(re.finditer(rb"<(row|c|si|xf|sheet|Relationship)\b.*?</\1>", content, re.S))
            said = ""
        case _:
            found = list(re.finditer(rb"<(row|c|si)\b.*?</\1>", content, re.S))
            if not found:
                return content
            piece = draw.choice(found)
            return content[: piece.end()] + piece[0] * draw.choice((1, 50)) + content[piece.end() :]
    if not found:
        return content
    piece = draw.choice(found)
    return content[: piece.start()] + said.encode("utf-8", "surrogatepass") + content[piece.end() :]


XLSX = (*ANY, members, flags, of_member(xml), of_member(xml), of_member(xml), of_member(*TEXT))


# -- of pages and PDF ---------------------------------------------------------------------------------------


def tags(content: bytes, draw: Random) -> bytes:
    """A tag is missing, unclosed, or stands where it should not; markup that is hostile; nests without end."""
    found = list(re.finditer(rb"<[^>]*>", content))
    if not found:
        return content
    tag, other = draw.choice(found), draw.choice(found)
    said = draw.choice(
        (b"", other[0], b"<", b"<!--", b"<script>", b"<![CDATA[", b"</html>", b"<base href='//x'>", b"<li>" * 3_000,
         b"<div>" * 50_000, b"&#x110000;", b"&#0;", b"&bogus;", b"<?php", b"<!x", b"<![if", b"</", b"<a href='http://[::1'>x</a>",
         b"<a href='javascript:alert(1)'>List.xlsx</a>", b"<base href='http://[bad'>"))  # fmt: skip
    return content[: tag.start()] + said + content[tag.end() :]


HTML = (*TEXT, tags, tags, tags)


def pdf(content: bytes, draw: Random) -> bytes:
    """A number, a name or an operator of a PDF is another; offsets and lengths that lie, circles."""
    found = list(
        re.finditer(
            rb"(?<=[ \[/])\d+(?=[ \]/\r\n])|/[A-Z]\w+|\bobj\b|\bendobj\b|\bstream\b|\bendstream\b|\btrailer\b",
            content,
        )
    )
    if not found:
        return content
    for _ in range(draw.choice((1, 1, 3))):
        piece = draw.choice(found)
        said = draw.choice((b"0", b"1", b"-1", b"99999999", b"2147483648", b"1e9", b"/Length", b"/Kids", b"/Parent", b"null", b"[]", b"<<>>",
                            b"3 0 R", b"1 0 R", b"/FlateDecode", b"/ASCII85Decode", b"/LZWDecode", b"/RunLengthDecode", b"", b"obj"))  # fmt: skip
        content = content[: piece.start()] + said + content[piece.end() :]
        found = [each for each in found if each.end() < piece.start()] or found[:1]
    return content


PDF = (*ANY, pdf, pdf, pdf)

# -- of Parquet ---------------------------------------------------------------------------------------------


def parquet_columns(content: bytes, draw: Random) -> bytes:
    """A column is missing, has another name or type, is all null, or there twice; no row is left."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError, ValueError):
        return content
    if not table.num_columns:
        return content
    at = draw.randrange(table.num_columns)
    name, column = table.column_names[at], table.column(at)
    match draw.randrange(6):
        case 0:
            table = table.remove_column(at)
        case 1:
            table = table.rename_columns(
                [*table.column_names[:at], f"{name}_", *table.column_names[at + 1 :]]
            )
        case 2:
            table = table.set_column(at, name, pa.nulls(len(column), column.type))
        case 3:
            table = table.append_column(name, column)
        case 4:
            table = table.slice(0, 0)
        case _:
            texts = pa.array([draw.choice(SMALL) for _ in range(len(column))], pa.string())
            table = table.set_column(
                at, name, draw.choice((texts, pa.array(range(len(column))), pa.nulls(len(column))))
            )
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


PARQUET = (*ANY, parquet_columns, parquet_columns, parquet_columns)

KINDS: dict[str, tuple[Mutation, ...]] = {
    "binary": ANY,
    "text": TEXT,
    "csv": CSV,
    "json": JSON,
    "yaml": YAML,
    "toml": TEXT,
    "zip": ZIP,
    "xlsx": XLSX,
    "html": HTML,
    "pdf": PDF,
    "parquet": PARQUET,
}


def mutated(content: bytes, kind: str, seed: int) -> tuple[bytes, list[str]]:
    """The bytes after one to three mutations of their kind, chosen by the seed, and the names of these."""
    draw = Random(seed)
    chosen = [draw.choice(KINDS[kind]) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
    for mutation in chosen:
        content = mutation(content, draw)
    return content, [mutation.__name__ for mutation in chosen]
