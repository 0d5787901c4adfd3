"""Fetching against a publisher that fails in every way that this data has shown."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import json
import logging
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path

import pytest

from analysis.refresh import archives, http
from analysis.refresh.faults import FetchError, QuarantineError, RefreshError, UsageError, redact
from analysis.refresh.http import Web, opened
from analysis.refresh.replies import check_host, replayed
from tests.refresh.conftest import tree
from tests.refresh.publisher import Publisher, Reply, data, page

URL = "https://data.example.gov/table.csv"
HOSTS = ("data.example.gov",)
CSV = b"GEO_ID,B01003_001E\n" + b"".join(b"0500000US%05d,%d\n" % (n, n * 7) for n in range(90_000))
KEY = "0123456789abcdef/secret+key"
MARKS = {"ETag": '"v1"', "Last-Modified": "Mon, 05 Jan 2026 10:00:00 GMT"}


@pytest.fixture
def web(tmp_path: Path, publisher: Publisher, project: Path) -> Iterator[Web]:
    with opened(tmp_path / "fetched", HOSTS, (KEY,)) as found:
        yield found


def test_a_file_comes_whole_and_is_noted(web: Web, publisher: Publisher) -> None:
    publisher.answers[URL] = Reply(CSV, headers=MARKS)
    path = web.save(URL, "table.csv", kind="csv", params={"key": KEY})
    assert path.read_bytes() == CSV
    assert tree(web.folder).keys() == {"table.csv", "fetched.json"}
    noted = json.loads((web.folder / "fetched.json").read_text())["table.csv"]
    assert noted["sha256"] == hashlib.sha256(CSV).hexdigest() and noted["url"] == URL
    (seen,) = publisher.seen
    assert seen.query["key"] == [KEY] and seen.headers["accept-encoding"] == "identity"
    assert seen.headers["user-agent"].startswith("listed-jurisdictions/")
    assert "mozilla" not in seen.headers["user-agent"].lower()


def test_what_has_not_changed_is_not_sent_again(web: Web, publisher: Publisher) -> None:
    publisher.answers[URL] = Reply(CSV, headers=MARKS)
    web.save(URL, "table.csv", kind="csv")
    web.save(URL, "table.csv", kind="csv")
    assert [seen.headers.get("if-none-match") for seen in publisher.seen] == [None, '"v1"']
    (web.folder / "table.csv").write_bytes(b"damaged")
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == CSV
    assert len(publisher.seen) == 3 and "if-none-match" not in publisher.seen[2].headers


@pytest.mark.fault("F11")
@pytest.mark.parametrize("cuts", [[100_000], [100_000, 1_000_000, 1], [0, 1]])
def test_a_reset_midway_is_resumed(web: Web, publisher: Publisher, cuts: list[int]) -> None:
    whole = Reply(CSV, headers=MARKS, ranges=True)
    publisher.answers[URL] = [*(Reply(CSV, headers=MARKS, ranges=True, cut=cut) for cut in cuts), whole]
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == CSV
    assert len(publisher.seen) == len(cuts) + 1
    last = publisher.seen[-1].headers
    begun = int(last["range"].removeprefix("bytes=").removesuffix("-")) if "range" in last else 0
    assert begun <= sum(cuts) and (begun > 0 or sum(cuts) < 10)
    assert last.get("if-range") == ('"v1"' if begun else None)


def test_a_changed_file_is_not_patched_together(web: Web, publisher: Publisher) -> None:
    other = CSV.replace(b"7", b"8")
    publisher.answers[URL] = [
        Reply(CSV, headers=MARKS, ranges=True, cut=200_000),
        Reply(other, headers=MARKS | {"ETag": '"v2"'}, ranges=True),
    ]
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == other
    assert len(publisher.seen) == 2 and publisher.seen[1].headers["if-range"] == '"v1"'


def test_a_publisher_that_ignores_if_range_is_found_out(web: Web, publisher: Publisher) -> None:
    other = CSV.replace(b"7", b"8")

    def careless(seen: object) -> Reply:
        if publisher.asked(URL) == 1:
            return Reply(CSV, headers=MARKS, cut=200_000)
        span = seen.headers.get("range", "")
        if not span:
            return Reply(other, headers={"ETag": '"v2"'})
        first = int(span.removeprefix("bytes=").removesuffix("-"))
        told = f"bytes {first}-{len(other) - 1}/{len(other)}"
        return Reply(other[first:], 206, {"Content-Range": told, "ETag": '"v2"'})

    publisher.answers[URL] = careless
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == other
    assert len(publisher.seen) == 3


def told(first: int, last: int, whole: int | str, etag: str = '"v1"') -> dict[str, str]:
    return {"Content-Range": f"bytes {first}-{last}/{whole}", "ETag": etag}


ODD_RESTS = {
    "no range at all": (Reply(CSV, headers=MARKS), 2),
    "no more there": (Reply(b"", 416, {"Content-Range": "bytes */5"}), 3),
    "another part": (Reply(CSV[5:], 206, told(5, len(CSV) - 1, len(CSV))), 3),
    "no place told": (Reply(CSV[5:], 206, {"ETag": '"v1"'}), 3),
    "packed": (Reply(gzip.compress(CSV), headers=MARKS | {"Content-Encoding": "gzip"}), 2),
}


@pytest.mark.parametrize("case", ODD_RESTS)
def test_a_rest_that_does_not_fit_is_not_taken(web: Web, publisher: Publisher, case: str) -> None:
    rest, requests = ODD_RESTS[case]
    publisher.answers[URL] = [Reply(CSV, headers=MARKS, cut=200_000), rest, Reply(CSV, headers=MARKS)]
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == CSV
    assert len(publisher.seen) == requests and "range" in publisher.seen[1].headers


def test_what_came_packed_is_not_gone_on_with(web: Web, publisher: Publisher) -> None:
    packed = Reply(gzip.compress(CSV), headers=MARKS | {"Content-Encoding": "gzip"})
    publisher.answers[URL] = [replace(packed, cut=100_000), Reply(CSV, headers=MARKS)]
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == CSV
    assert len(publisher.seen) == 2 and "range" not in publisher.seen[1].headers


@pytest.mark.fault("G3")
def test_a_bomb_in_the_transport_is_capped(web: Web, publisher: Publisher) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    publisher.answers[URL] = Reply(bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(QuarantineError, match="too large"):
        web.save(URL, "table.csv", kind="csv", most=1_000_000)
    assert len(bomb) < 100_000 and len(publisher.seen) == 1 and tree(web.folder) == {}


def test_a_part_without_a_mark_is_begun_anew(web: Web, publisher: Publisher) -> None:
    publisher.answers[URL] = [Reply(CSV, cut=200_000), Reply(CSV)]
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == CSV
    assert [seen.headers.get("range") for seen in publisher.seen] == [None, None]


@pytest.mark.fault("F1")
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured(
    web: Web, publisher: Publisher, status: int, as_date: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=60)
    wait = format_datetime(later, usegmt=True) if as_date else "60"
    publisher.answers[URL] = [Reply(b"", status, {"Retry-After": wait}), Reply(CSV)]
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == CSV
    assert len(publisher.seen) == 2 and [55 <= wait <= 60 for wait in slept if wait > 1] == [True]


@pytest.mark.fault("F1")
def test_waiting_has_an_end(web: Web, publisher: Publisher) -> None:
    publisher.answers[URL] = Reply(b"", 429, {"Retry-After": "86400"})
    with pytest.raises(FetchError, match=r"too many requests.*in 86,400 s") as caught:
        web.save(URL, "table.csv", kind="csv")
    assert len(publisher.seen) == 1 and caught.value.code == 3


@pytest.mark.fault("F11")
@pytest.mark.parametrize("reply", [Reply(b"", 503), Reply(b"", 502), Reply(b"", 429), Reply(CSV, cut=0)])
def test_tries_have_an_end(web: Web, publisher: Publisher, reply: Reply) -> None:
    publisher.answers[URL] = reply
    with pytest.raises(FetchError, match="after 5 tries"):
        web.save(URL, "table.csv", kind="csv")
    assert len(publisher.seen) == http.TRIES
    assert "table.csv" not in tree(web.folder)


def test_a_long_file_on_a_bad_line_goes_on_while_it_grows(web: Web, publisher: Publisher) -> None:
    body = CSV * 8
    publisher.answers[URL] = Reply(body, headers=MARKS, ranges=True, cut=1_500_000)
    with_cut = publisher.answers[URL]
    publisher.answers[URL] = [*[with_cut] * 9, Reply(body, headers=MARKS, ranges=True)]
    assert len(body) > 9 * 1_500_000
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == body
    assert len(publisher.seen) == 10


MISSING_KEY = page("Missing Key", text="<p>A valid key must be included with each data API request.</p>")
SOFT = {
    "HTML": (page("Our new site"), QuarantineError, "HTML instead of data.*'Our new site'"),
    "invalid key": (page("Invalid Key"), UsageError, "missing key"),
    "missing key": (MISSING_KEY, UsageError, "missing key"),
    "soft 404": (page("Page Not Found | ICE"), QuarantineError, "soft 404"),
    "soft 404 without a title": (Reply(b"<h1>404</h1> nothing"), QuarantineError, "soft 404"),
    "refused by a wall": (page("Access Denied"), QuarantineError, "blocked"),
    "no content": (Reply(b"", 204), QuarantineError, "empty reply.*204"),
    "empty": (Reply(b""), QuarantineError, "empty reply"),
    "blanks": (Reply(b" \r\n"), QuarantineError, "empty reply"),
    "another type": (Reply(b"%PDF-1.7 ..."), QuarantineError, "wrong type: .*csv was asked for, pdf came"),
    "JSON": (data({"status": "errored"}), QuarantineError, "wrong type: .*json came"),
    "gone": (Reply(b"", 404), FetchError, "not found.*--from"),
    "forbidden": (Reply(b"", 403), FetchError, "refused: .*403.*--from"),
    "unknown variable": (
        Reply(b"error: unknown variable 'XYZ'", 400, {"Content-Type": "text/plain"}),
        FetchError,
        "bad reply: .*400.*unknown variable 'XYZ'",
    ),
}


@pytest.mark.fault("F3", "F7", "F17", "F72")
@pytest.mark.parametrize("case", SOFT)
def test_what_looks_like_success_is_refused(web: Web, publisher: Publisher, case: str) -> None:
    publisher.answers[URL], error, message = SOFT[case]
    with pytest.raises(error, match=message):
        web.save(URL, "table.csv", kind="csv")
    assert len(publisher.seen) == 1 and "fetched.json" not in tree(web.folder)
    came = tree(web.folder).get("table.csv")  # to be put aside
    assert came is None or (error is QuarantineError and came == publisher.answers[URL].body)


PAGES = {
    "a soft 404 by its heading": (
        Reply(b"<html><head><title>ICE</title></head><body><h1>Page Not Found</h1></body></html>"),
        "soft 404",
    ),
    "half a page": (
        Reply(b"<html><head><title>List</title></head><body><ul><li>Boston, MA"),
        "truncated page",
    ),
    "packed twice": (
        Reply(gzip.compress(gzip.compress(b"<p>")), headers={"Content-Encoding": "gzip, gzip"}),
        "packed reply",
    ),
    "packed otherwise": (Reply(b"\x0b\x02", headers={"Content-Encoding": "br"}), "packed reply"),
}


@pytest.mark.parametrize("case", PAGES)
def test_a_page_that_is_none_is_refused(web: Web, publisher: Publisher, case: str) -> None:
    publisher.answers[URL], fault = PAGES[case]
    with pytest.raises(QuarantineError, match=f"^{fault}: "):
        web.save(URL, "page.html", kind="html")
    assert len(publisher.seen) == 1 and "fetched.json" not in tree(web.folder)


@pytest.mark.parametrize(
    "spelling",
    [
        KEY,
        KEY.replace("/", "%2f").replace("+", "%2b"),
        KEY.replace("/", "%252F").replace("+", "%252B"),
        KEY.replace("/", "\\/"),
        KEY.replace("/", "&#x2f;").upper(),
    ],
)
@pytest.mark.parametrize("length", [0, 300_000])
def test_a_reply_that_repeats_the_key_reaches_no_file(
    web: Web, publisher: Publisher, spelling: str, length: int
) -> None:
    body = f'{{"x": "{"0" * length}", "error": "https://data.example.gov/?key={spelling}"}}'.encode()
    publisher.answers[URL] = Reply(body)
    with pytest.raises(QuarantineError, match=r"^key in the reply: ") as caught:
        web.save(URL, "reply.json", kind="json", params={"key": KEY})
    publisher.answers[URL] = Reply(b"error: " + spelling.encode(), 400)
    with pytest.raises(FetchError, match=r"error: REDACTED") as refused:
        web.save(URL, "reply.json", kind="json", params={"key": KEY})
    publisher.answers[URL] = [Reply(b"", 302, {"Location": f"?key={spelling}"}), data({"x": 1})]
    web.save(URL, "reply.json", kind="json", params={"key": KEY})
    looked = [str(caught.value).encode(), str(refused.value).encode(), *tree(web.folder).values()]
    assert len(looked) == 4 and not any(b"secret" in text.lower() for text in looked)
    assert len(publisher.seen) == 4


def test_a_page_on_keys_that_repeats_the_key_is_still_one(web: Web, publisher: Publisher) -> None:
    publisher.answers[URL] = page("Invalid Key", text=f"<p>You sent {KEY}, which is not valid.</p>")
    with pytest.raises(UsageError, match=r"^missing key: ") as caught:
        web.save(URL, "reply.json", kind="json", params={"key": KEY})
    assert KEY not in str(caught.value) and tree(web.folder) == {} and len(publisher.seen) == 1


def test_half_of_a_rest_without_a_size_is_not_the_whole(web: Web, publisher: Publisher) -> None:
    begun = Reply(CSV, headers=MARKS, cut=200_000)

    def answer(seen: object) -> Reply:
        if publisher.asked(URL) == 1:
            return begun
        first = int(seen.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        told = f"bytes {first}-{first + 99_999}/*"
        return Reply(CSV[first : first + 100_000], 206, {"Content-Range": told, "ETag": '"v1"'})

    publisher.answers[URL] = answer
    with pytest.raises(FetchError, match=r"^unreachable: .* bytes came") as caught:
        web.save(URL, "table.csv", kind="csv")
    assert f"of {len(CSV):,}" in str(caught.value) and len(publisher.seen) == 5
    assert "table.csv" not in tree(web.folder)


def test_a_rest_of_another_day_is_not_taken(web: Web, publisher: Publisher) -> None:
    other = CSV.replace(b"7", b"8")

    def careless(seen: object) -> Reply:
        first = int(seen.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if publisher.asked(URL) == 1:
            return Reply(CSV, headers={"Last-Modified": MARKS["Last-Modified"]}, cut=200_000)
        told = {"Last-Modified": "Tue, 06 Jan 2026 10:00:00 GMT"}
        if first:
            told["Content-Range"] = f"bytes {first}-{len(other) - 1}/{len(other)}"
        return Reply(other[first:], 206 if first else 200, told)

    publisher.answers[URL] = careless
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == other and len(publisher.seen) == 3


@pytest.mark.parametrize("after", ["-5", "soon", "\xb2", "1.5", "Fri, 31 Dec 99999 23:59:59 GMT", ""])
def test_a_wait_that_cannot_be_read_is_ours(web: Web, publisher: Publisher, after: str) -> None:
    publisher.answers[URL] = [Reply(b"", 429, {"Retry-After": after}), Reply(CSV)]
    assert web.save(URL, "table.csv", kind="csv").read_bytes() == CSV and len(publisher.seen) == 2


@pytest.mark.parametrize(
    ("name", "mode"),
    [("../out/", 0o040755), ("/etc/x.csv", 0o100644), ("x.csv", 0o120777), ("x.csv", 0o010644)],
)
def test_no_member_of_an_archive_leaves_its_folder(tmp_path: Path, name: str, mode: int) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.csv", "a,b\n1,2\n")
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, "x")
    with pytest.raises(QuarantineError, match=r"^zip-slip: "):
        archives.members(path)


@pytest.mark.fault("F9")
def test_what_a_publisher_says_moves_no_cursor(web: Web, publisher: Publisher) -> None:
    publisher.answers[URL] = Reply(
        b"error:\x1b[2J\x07 unknown\nvariable", 400, {"Content-Type": "text/plain"}
    )
    with pytest.raises(FetchError, match=r"error: \[2J unknown variable") as caught:
        web.save(URL, "table.csv", kind="csv")
    assert str(caught.value).isprintable() and len(publisher.seen) == 1


REDIRECTS = {
    "to no address": ("https://[bad/x", FetchError, "redirect refused: .*names no address"),
    "to a script": ("javascript:alert(1)", FetchError, "redirect refused"),
    "to a page on keys": ("/data/missing_key.html", UsageError, "missing key"),
    "to another host": ("https://evil.example.com/table.csv", FetchError, "another host, evil.example.com"),
    "to this machine": ("http://127.0.0.1:9/table.csv", FetchError, "another host"),
    "to a user of the host": ("https://me@data.example.gov/t.csv", FetchError, "host not allowed"),
    "off the lock": ("http://data.example.gov/table.csv", FetchError, "host not allowed"),
    "to a page": ("/sorry.html", FetchError, "leads to a page, /sorry.html"),
    "to the front": ("/", FetchError, "leads to a page"),
    "in a circle": ("/table.csv", FetchError, "more than 4 redirects"),
    "nowhere": ("", FetchError, "names no address"),
}


@pytest.mark.fault("F4")
@pytest.mark.parametrize("case", REDIRECTS)
def test_a_redirect_leads_to_what_was_asked_for_or_nowhere(web: Web, publisher: Publisher, case: str) -> None:
    location, error, message = REDIRECTS[case]
    publisher.answers[URL] = Reply(b"", 302, {"Location": location} if location else {})
    with pytest.raises(error, match=message):
        web.save(URL, "table.csv", kind="csv", params={"key": KEY})
    assert len(publisher.seen) == (5 if case == "in a circle" else 1)
    assert {seen.url for seen in publisher.seen} == {URL}


def test_a_redirect_on_the_same_host_is_followed(web: Web, publisher: Publisher) -> None:
    publisher.answers[URL] = Reply(b"", 301, {"Location": "/2026/table.csv"})
    publisher.answers["https://data.example.gov/2026/table.csv"] = Reply(CSV)
    assert web.save(URL, "table.csv", kind="csv", params={"key": KEY}).read_bytes() == CSV
    assert [bool(seen.query) for seen in publisher.seen] == [True, False]


@pytest.mark.fault("F72")
def test_a_page_that_moved_to_the_front_page_is_gone(web: Web, publisher: Publisher) -> None:
    publisher.answers["https://data.example.gov/list"] = Reply(b"", 302, {"Location": "/"})
    with pytest.raises(FetchError, match="front page"):
        web.save("https://data.example.gov/list", "page.html", kind="html")
    assert len(publisher.seen) == 1


def test_a_posted_request_is_not_redirected(web: Web, publisher: Publisher) -> None:
    publisher.answers[URL] = Reply(b"", 307, {"Location": "/2026/table.csv"})
    with pytest.raises(FetchError, match="with content is not redirected"):
        web.save(URL, "table.csv", kind="csv", json={"scope": "place_of_performance"})
    assert json.loads(publisher.seen[0].body) == {"scope": "place_of_performance"}


@pytest.mark.parametrize("length", [True, False])
def test_size_is_capped(web: Web, publisher: Publisher, length: bool) -> None:
    publisher.answers[URL] = Reply(CSV, length=length)
    with pytest.raises(QuarantineError, match="too large"):
        web.save(URL, "table.csv", kind="csv", most=100_000)
    assert len(publisher.seen) == 1 and tree(web.folder) == {}


@pytest.mark.parametrize(
    "url",
    [
        "http://data.example.gov/t.csv",
        "https://data.example.gov:8443/t.csv",
        "https://data.example.gov.evil.com/t.csv",
        "https://user:word@data.example.gov/t.csv",
        "https://127.0.0.1/t.csv",
        "file:///etc/passwd",
        "ftp://data.example.gov/t.csv",
        "https://[::1",
        "",
    ],
)
def test_only_listed_hosts_are_asked(url: str, web: Web, publisher: Publisher) -> None:
    with pytest.raises(FetchError, match="host not allowed"):
        web.save(url, "t.csv", kind="csv")
    assert publisher.seen == []
    check_host("https://data.example.gov:443/t.csv?x=1", HOSTS)


def test_only_this_machine_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_REFRESH_REPLAY", "http://evil.example.com")
    with pytest.raises(UsageError, match="names another machine"):
        replayed(URL)
    monkeypatch.delenv("ANALYSIS_REFRESH_REPLAY")
    assert replayed(URL) == URL


@pytest.mark.fault("F5")
@pytest.mark.parametrize(
    "reply",
    [
        Reply(f"error: no such key {KEY}".encode(), 400, {"Content-Type": "text/plain"}),
        Reply(b"", 503),
        Reply(b"", 302, {"Location": f"https://other.example.gov/t.csv?key={KEY}"}),
        page(f"You sent {KEY}"),
        Reply(CSV, cut=10),
    ],
)
def test_no_key_is_told(
    web: Web,
    publisher: Publisher,
    reply: Reply,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    publisher.answers[URL] = reply
    with opened(web.folder, HOSTS, (KEY,), print) as telling, pytest.raises(RefreshError) as caught:
        telling.save(f"{URL}?a=1&key={KEY}", "table.csv", kind="csv", params={"key": KEY})
    assert len(publisher.seen) >= 1 and KEY in publisher.seen[0].query["key"]
    out, err = capfd.readouterr()
    told = [
        str(caught.value),
        repr(caught.value),
        caplog.text,
        out,
        err,
        *map(str, tree(web.folder).values()),
    ]
    assert [text for text in told if KEY in text or "secret" in text] == []
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


@pytest.mark.fault("F5")
def test_keys_are_taken_out_however_they_are_written() -> None:
    text = redact(f"{KEY} 0123456789abcdef%2Fsecret%2Bkey https://x/?get=B&key=abc&for=us, api_key=q", (KEY,))
    assert text == "REDACTED REDACTED https://x/?get=B&key=REDACTED&for=us, api_key=q"


def test_a_drip_is_broken_off(web: Web, publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 50))
    monkeypatch.setattr("analysis.refresh.http.time.monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(http, "SLOWEST", 10**9)
    publisher.answers[URL] = Reply(CSV)
    with pytest.raises(FetchError, match="drips"):
        web.save(URL, "table.csv", kind="csv")
    assert len(publisher.seen) == http.TRIES


def test_the_part_of_another_request_is_not_taken(web: Web, publisher: Publisher) -> None:
    other = "https://data.example.gov/other.csv"
    publisher.answers[URL] = Reply(CSV, headers=MARKS, ranges=True, cut=300_000)
    publisher.answers[other] = Reply(CSV[:500], headers=MARKS, ranges=True)
    with pytest.raises(FetchError):
        web.save(URL, "table.csv", kind="csv", most=len(CSV))
    assert (web.folder / "table.csv.part").stat().st_size > 0
    assert web.save(other, "table.csv", kind="csv").read_bytes() == CSV[:500]
    assert publisher.asked(other) == 1 and "range" not in publisher.seen[-1].headers
