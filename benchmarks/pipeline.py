"""Time and memory of the whole pipeline in a clean clone, held against the project's bounds.

`make bench` writes `benchmarks/pipeline.csv`: what was measured, the bound, the machine, the day.
With `--environment` the environment is also made anew, which fetches every package.
"""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import psutil

from analysis.provenance import root
from analysis.writing import write_csv

BOUNDS = {
    "pipeline from a clean clone, seconds": 90,
    "pipeline, peak memory of all its processes, MB": 1500,
    "nothing to do, seconds": 4,
    "environment, seconds": 120,
    "environment, MB": 1450,
}


def machine() -> str:
    """Processor, cores and memory, without a name of the machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    memory = psutil.virtual_memory().total / 2**30
    python = f"{platform.system()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, {python}"


def measured(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Wall seconds and the peak of memory (MB, resident, all processes of the tree, every 50 ms)."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    tree, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        try:
            members = [tree, *tree.children(recursive=True)]
            peak = max(peak, sum(member.memory_info().rss for member in members))
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.05)
    seconds = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{process.stderr.read().decode()}")
    return seconds, peak / 1e6


def pipeline(clone: Path) -> dict[str, float]:
    """A forced run in a clean clone, and a run with nothing to do."""
    here = {"PYTHONPATH": str(clone), "ANALYSIS_ROOT": str(clone)}
    repro = [sys.executable, "-m", "dvc", "repro"]
    seconds, megabytes = measured([*repro, "--force"], clone, here)
    idle = sorted(measured(repro, clone, here)[0] for _ in range(3))[1]
    return {
        "pipeline from a clean clone, seconds": seconds,
        "pipeline, peak memory of all its processes, MB": megabytes,
        "nothing to do, seconds": idle,
    }


def environment(clone: Path) -> dict[str, float]:
    """`make env` in a clean clone, packages fetched anew, and the size of what it makes."""
    without = dict.fromkeys(("PYTHONPATH", "VIRTUAL_ENV"), "")
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    command = ["make", f"PYTHON={base}", "env"]
    seconds, _ = measured(command, clone, without | {"PIP_NO_CACHE_DIR": "1"})
    size = sum(path.lstat().st_size for path in (clone / ".venv").rglob("*") if path.is_file())
    return {"environment, seconds": seconds, "environment, MB": size / 1e6}


def main() -> None:
    checkout = root()
    out = checkout / "benchmarks" / "pipeline.csv"
    with TemporaryDirectory(prefix="bench-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(checkout), str(clone)], check=True)
        shutil.rmtree(clone / "reports" / "_site", ignore_errors=True)
        results = pipeline(clone)
        if "--environment" in sys.argv:
            results |= environment(clone)
    table = pd.DataFrame(
        {
            "what": name,
            "measured": round(value, 1),
            "at_most": BOUNDS[name],
            "measured_on": datetime.date.today().isoformat(),
            "machine": machine(),
        }
        for name, value in results.items()
    )
    if out.exists():
        kept = pd.read_csv(out)
        table = pd.concat([table, kept[~kept["what"].isin(table["what"])]])
    write_csv(table, out)
    print(table[["what", "measured", "at_most"]].to_string(index=False))


if __name__ == "__main__":
    main()
