"""What the replay page says of a turn whose words do not stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice.qa.views import turns
from voice.store.calls import CallRecord


@pytest.mark.parametrize(
    ("refused", "alternatives", "note"),
    [
        ("noise", [], "not understood for noise"),
        ("noise", ["My bill is wrong.", "My pill is wrong."], "not understood for noise; perhaps “My bill is wrong.”"),
        ("unsure", ["My bill is wrong."], "not understood; perhaps “My bill is wrong.”"),
        ("", ["My pill is wrong."], ""),
    ],
)
def test_a_turn_without_words_says_why(refused: str, alternatives: list[str], note: str) -> None:
    fact = {
        "seq": 1, "t": 3.0, "fact": "Transcribed", "leg": "caller", "start": 1.0, "end": 2.5, "final": True,
        "text": "" if refused else "My bill is wrong.", "refused": refused, "alternatives": alternatives,
    }  # fmt: skip
    (turn,) = turns(CallRecord(call_id="c", folder=Path("c"), facts=[fact]))
    assert turn.note == note
