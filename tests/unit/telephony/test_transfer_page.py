"""The table is complete and says what the documentation says."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

from telephony import transfer_table as table
from telephony.facts import OUTCOMES
from telephony.transfer import ACTIONS
from telephony.transfer_diagram import label, page

ROOT = pathlib.Path(__file__).parents[3]


def test_the_page_is_current() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "telephony.transfer"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert printed == page()
    assert (ROOT / "docs" / "handoff-states.md").read_text("utf-8") == printed, (
        "run: python -m telephony.transfer > docs/handoff-states.md"
    )


def test_every_row_has_an_action_and_every_action_a_row() -> None:
    assert {row.act for row in table.TABLE.values()} == set(ACTIONS)


def test_every_signal_has_a_name_for_people() -> None:
    assert all(label(word) for _, word in table.TABLE)


def test_every_outcome_of_an_attempt_is_one_of_the_contract() -> None:
    assert set(table.OUTCOMES.values()) <= set(OUTCOMES)


def test_the_outcome_of_a_sip_status() -> None:
    by_status = {
        486: "busy", 600: "busy", 603: "declined", 480: "no-answer", 404: "unreachable", 408: "unreachable",
        503: "unreachable", 302: "unreachable", 401: "unreachable", 0: "unreachable",
    }  # fmt: skip
    assert {status: table.outcome_of_status(status) for status in by_status} == by_status


def test_every_test_that_answers_a_report_exists() -> None:
    page_of_reports = (ROOT / "docs" / "handoff-failures.md").read_text("utf-8")
    sources = {path.name: path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")}
    named = set(re.findall(r"\btest_\w+(?:\.py)?", page_of_reports))
    missing = {
        name
        for name in named
        if name not in sources and not any(f"def {name}" in source for source in sources.values())
    }
    assert len(named) > 25
    assert missing == set()
