"""The same bytes in another folder, time zone, locale, hash seed and process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from analysis.provenance import root

RENDER = "import sys, pathlib as p; from analysis.rendering import render_site; \
render_site(p.Path(sys.argv[1]), p.Path(sys.argv[2]))"


@pytest.mark.fault("F80")
def test_the_same_bytes_elsewhere(site, tmp_path):
    source = shutil.copytree(site.source, tmp_path / "another folder" / "pages")
    out = tmp_path / "out"
    environment = os.environ | {
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "LANG": "tr_TR.UTF-8",
        "PYTHONHASHSEED": "4711",
        "PYTHONPATH": str(root()),
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "HOME": str(tmp_path),
        "COLUMNS": "40",
    }
    subprocess.run([sys.executable, "-c", RENDER, source, out], check=True, env=environment, cwd=tmp_path)
    first = {path.name: path.read_bytes() for path in site.written}
    assert len(first) == 4
    assert sorted(path.name for path in out.iterdir()) == sorted(first)
    for name, content in first.items():
        assert (out / name).read_bytes() == content, name
