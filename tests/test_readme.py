"""The README says what the tables say, and its ten lines print a table."""

from __future__ import annotations

import re

import pytest

from analysis.panel import load_panel
from analysis.provenance import read_output
from analysis.tables import number
from analysis.wording import count, frequency, how_many, percent
from tests.conftest import REPOSITORY
from tests.documents import blocks

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))


@pytest.mark.fault("F84")
def test_findings_are_those_of_the_tables() -> None:
    shares = read_output("frequencies.csv").set_index("sample")
    inside, outside = shares.loc["counties of listed states"], shares.loc["counties of other states"]
    contrast = read_output("contrasts.csv").set_index(["model", "term", "level"])
    low, high = (
        contrast.loc[("main_other_states", "democratic_share_2024", level)] for level in ("low", "high")
    )
    rosters = read_output("agreements_287g.csv").set_index(["roster", "scope"])
    roster, both = (rosters.loc[("2025-01-19", scope)] for scope in ("all counties", "states with both"))
    inference = read_output("inference.csv").set_index(["method", "model", "term"]).sort_index()
    adjusted = inference.loc[("romano_wolf", "main_other_states"), "p_value"]
    vote = adjusted["democratic_share_2024"]
    assert vote > 0.05
    lines = [
        f"- Of 100 counties in the {count(inside['states'])} states that are themselves listed, {frequency(inside)} "
        f"were listed; of 100 counties elsewhere, {frequency(outside)}.",
        f"- Outside those states, of 100 counties {frequency(low)} would be expected on the list if all had a "
        f"Democratic share of {percent(low['value'])}, and {frequency(high)} if all had {percent(high['value'])}. "
        "Inside, the vote cannot be told from chance; nor can it outside by the test that is adjusted for all "
        f"{count(len(adjusted))} terms of the model (p = {number(vote, 2)}).",
        f"- Of {count(roster['with_agreement'])} counties whose own agency had a 287(g) agreement on 2025-01-19, "
        f"{how_many(roster['listed_with_agreement'])} was listed; only {count(both['with_agreement'])} of them lie in "
        "states that have any listed county.",
    ]
    findings = re.search(r"<!-- findings.*?-->\n(.*?)\n<!-- end", README, re.S)
    assert findings is not None and findings[1].splitlines() == lines


def test_ten_lines_from_a_clone_to_a_table(capsys: pytest.CaptureFixture) -> None:
    (clone,) = [step for step in blocks("README.md") if "git clone" in step.text]
    (code,) = [step for step in blocks("README.md") if step.kind == "python"]
    lines = [line for line in (clone.text + "\n" + code.text).splitlines() if line.strip()]
    assert 5 < len(lines) <= 10
    exec(compile(code.text, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "Median age" in printed and count(len(load_panel("county"))) and printed.count("|") > 50
