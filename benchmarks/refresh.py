"""Time and memory of a download of 2 GB from this machine, broken off four times on the way.

`make bench` writes `benchmarks/refresh.csv`. The server is a process of its own, so that only what fetches is
measured. 4 GB of disk are needed.
"""

from __future__ import annotations

import datetime
import hashlib
import multiprocessing
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import TemporaryDirectory

import pandas as pd

from analysis.provenance import root
from analysis.writing import write_csv
from benchmarks.pipeline import machine

SIZE = 2_000_000_000
PIECE = (b"0123456789abcdef" * 65_536)[:1_000_000]
CUTS = (300_000_000, 700_000_000, 1_100_000_000, 1_600_000_000)
LEFT = list(CUTS)
LIMIT_MB = 500
FETCH = """
import resource, sys
from pathlib import Path
from analysis.refresh.http import opened
with opened(Path(sys.argv[1]), ("files.example.gov",)) as web:
    web.save("https://files.example.gov/large.csv", "large.csv", kind="csv", most=3_000_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


class Handler(BaseHTTPRequestHandler):
    """Pieces of a file that is made as it is sent; the connection breaks at every cut, once."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if begin else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(SIZE - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{SIZE - 1}/{SIZE}")
        self.end_headers()
        place = begin
        while place < SIZE:
            if LEFT and place >= LEFT[0]:
                LEFT.pop(0)
                self.close_connection = True
                return
            piece = PIECE[place % len(PIECE) :]
            self.wfile.write(piece)
            place += len(piece)

    def log_message(self, *words: object) -> None:
        pass


def serve(port: multiprocessing.Queue) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.put(server.server_address[1])
    server.serve_forever()


def measured() -> dict[str, object]:
    """One download in a process of its own: its seconds and its peak of memory."""
    port: multiprocessing.Queue = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(port,), daemon=True)
    server.start()
    environment = os.environ | {"ANALYSIS_REFRESH_REPLAY": f"http://127.0.0.1:{port.get()}"}
    try:
        with TemporaryDirectory() as folder:
            begun = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-c", FETCH, folder],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            seconds = time.monotonic() - begun
            with open(f"{folder}/large.csv", "rb") as stream:  # noqa: PTH123
                found = hashlib.file_digest(stream, "sha256").hexdigest()
    finally:
        server.terminate()
    expected = hashlib.sha256()
    for _ in range(SIZE // len(PIECE)):
        expected.update(PIECE)
    assert found == expected.hexdigest(), "the file is not the one that was sent"
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024
    return {"seconds": round(seconds), "peak_mb": round(int(done.stdout) / unit)}


def main() -> None:
    found = measured()
    row = {
        "measured_on": datetime.date.today().isoformat(),
        "case": f"download of {SIZE / 1e9:.0f} GB, broken off {len(CUTS)} times",
        **found,
        "bound_mb": LIMIT_MB,
        "status": "pass" if found["peak_mb"] <= LIMIT_MB else "fail",
        "machine": machine(),
    }
    write_csv(pd.DataFrame([row]), root() / "benchmarks" / "refresh.csv")
    print(row)


if __name__ == "__main__":
    main()
