"""USAspending's files: those that are made while one waits, and those of its archive.

A job can fail with status 200, and its file can come later than its end is told.
"""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlencode

from analysis.refresh.faults import FetchError, QuarantineError
from analysis.refresh.http import Web
from analysis.refresh.once import once
from analysis.refresh.replies import check_host
from analysis.refresh.usaspending import AGAIN, API, FILES, LATER, Asked, answer, counted, results, there

# Seconds between two looks at a job, doubled up to the longest; a job's own limit is six hours.
FIRST_LOOK, LONGEST_LOOK, PATIENCE = 2.0, 60.0, 6.5 * 3600
DONE, FAILED = ("finished",), ("failed", "errored", "error", "cancelled")


def fetch_job(web: Web, asked: Asked, name: str, most: int) -> None:
    """Ask for a file, wait until it is made, fetch it. Another run goes on with the same job.

    Raises
    ------
    FetchError : "download failed", "not ready": the job failed, or takes longer than any may.
    QuarantineError : "not an answer", "wrong file": the answer is of no job, or of another.
    """
    start, end = asked.span()
    body = {
        "filters": {
            "prime_award_types": list(asked.types),
            "date_type": "action_date",
            "date_range": {"start_date": start, "end_date": end},
            "agencies": asked.agencies(),
        },
        "columns": [],
        "file_format": "csv",
    }
    job = once(web, f"{API}bulk_download/awards/", "job.json", json=body, also_later=LATER)
    file = answer(job).get("file_name")
    if not isinstance(file, str) or not file.endswith(".zip"):
        raise QuarantineError("not an answer", f"no file's name, but {file!r}.", where=job.name, remedy=AGAIN)
    status = waited(web, job, file)
    url = status.get("file_url")
    check_host(str(url), (FILES,))
    # The file is there a little later than the job says.
    web.save(str(url), name, kind="zip", most=most, also_later=(403, 404))


def waited(web: Web, job: Path, file: str) -> dict:
    """The status of a job that is done."""
    url = f"{API}download/status?{urlencode({'file_name': file})}"
    wait, begun = FIRST_LOOK, time.monotonic()
    while True:
        path = web.save(url, "status.json", kind="json", also_later=LATER)
        content = answer(path)
        state = str(content.get("status") or "no status").lower()
        if content.get("file_name") != file:
            raise QuarantineError(
                "wrong file", f"{file!r} was asked for, {content.get('file_name')!r} told.", where=path.name
            )
        if state in DONE:
            return content
        if state in FAILED:
            job.unlink()
            lines = str(content.get("message") or "").strip().splitlines() or ["no reason given"]
            raise FetchError(
                "download failed",
                f"the publisher's job ended as {state!r} ({lines[-1][:200]}).",
                where=url,
                remedy="run the command again, which asks for a new file, or take the archive's:"
                " --vintage archive-fyYEAR.",
            )
        if time.monotonic() - begun > PATIENCE:
            raise FetchError(
                "not ready", f"{state!r} after {PATIENCE / 3600:.1f} hours.", where=url, remedy=AGAIN
            )
        rows = counted(content, "total_rows", path) or 0
        web.say(f"{file}: {state}; {rows:,} rows; again in {wait:.0f} s")
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_LOOK)


def check_size(path: Path, status: Path) -> None:
    """The file is as large as its job said, in kilobytes.

    Raises
    ------
    QuarantineError : "wrong size".
    """
    told = counted(answer(there(status)), "total_size", status)
    size = path.stat().st_size
    if told is not None and not any(abs(size - told * unit) <= unit + size // 200 for unit in (1000, 1024)):
        raise QuarantineError(
            "wrong size", f"{size:,} bytes, where {told:,} kB were told.", where=path.name, remedy=AGAIN
        )


def archived(web: Web, asked: Asked, number: int | str, code: str) -> str:
    """The address of the archive's file of a year's assistance.

    Parameters
    ----------
    number, code : the publisher's number of an agency, and its code; "all" and "" for every one.

    Raises
    ------
    QuarantineError : "not in the archive": no such file, or several.
    """
    body = {"agency": number, "fiscal_year": asked.year, "type": "assistance"}
    path = once(web, f"{API}bulk_download/list_monthly_files/", "archive.json", json=body, also_later=LATER)
    listed = results({"results": answer(path).get("monthly_files")}, path, ("file_name", "url"))
    full = [
        row
        for row in listed
        if str(row["file_name"]).startswith(f"FY{asked.year}_{code or 'All'}_Assistance_Full_")
    ]
    if len(full) != 1:
        names = ", ".join(str(row["file_name"]) for row in listed) or "none"
        raise QuarantineError(
            "not in the archive",
            f"one full file of {asked.year} was expected; there are {names}.",
            where=path.name,
            remedy="ask for a file instead: --vintage fyYEAR.",
        )
    check_host(str(full[0].get("url")), (FILES,))
    return str(full[0]["url"])
