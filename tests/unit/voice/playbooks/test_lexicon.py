"""Names and abbreviations are said as the lexicon spells them, and a mistake in it is found with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony.errors import ConfigError
from voice.engines.phonemes import phonemes, spoken
from voice.engines.pronunciation import Pronunciation
from voice.playbooks import load

MINIMAL = Path("voice/playbooks/minimal.toml")


def own(tmp_path: Path, lexicon: str) -> Path:
    path = tmp_path / "mine.toml"
    shipped = Path(__file__).parents[4] / MINIMAL
    path.write_text(shipped.read_text("utf-8") + f"\n[lexicon]\n{lexicon}\n")
    return path


def test_entries_are_whole_words_with_their_capitals() -> None:
    say = Pronunciation({"US": "you ess", "St.": "Street", "St. Ives": "Saint Ives", "kWh": "kilowatt hours"})
    assert say("Tell us in the US.") == "Tell us in the you ess."
    assert say("USA, 5 kWh, St. Ives, Main St. 4") == "USA, 5 kilowatt hours, Saint Ives, Main Street 4"
    assert Pronunciation({})("unchanged") == "unchanged"


def test_the_common_entries_are_there_and_the_playbooks_own_win(tmp_path: Path) -> None:
    lexicon = load(str(own(tmp_path, '"GB" = "gee bee"\n"Siobhan" = "Shivawn"'))).lexicon
    assert lexicon["kWh"] == "kilowatt hours"
    assert lexicon["GB"] == "gee bee"
    assert lexicon["Siobhan"] == "Shivawn"


@pytest.mark.parametrize(
    ("written", "heard"), [("300 kWh", "300 kilowatt hours"), ("open 24/7", "open twenty four seven")]
)
def test_it_changes_the_phonemes_that_are_spoken(written: str, heard: str) -> None:
    say = Pronunciation(load("utility").lexicon)
    assert phonemes(spoken(say(written)), "en-us") == phonemes(spoken(heard), "en-us")
    assert phonemes(spoken(written), "en-us") != phonemes(spoken(heard), "en-us")


def test_an_abbreviations_dot_does_not_cut_the_sentence() -> None:
    say = Pronunciation(load("utility").lexicon)
    assert say("I ask Mr. Hill.") == "I ask Mister Hill."


@pytest.mark.parametrize("entry", ['"GmbH" = "G 3"', '"GmbH" = ""', '" x" = "ex"', '"GmbH" = 3'])
def test_a_mistake_is_found_with_its_line(tmp_path: Path, entry: str) -> None:
    path = own(tmp_path, entry)
    line = len(path.read_text().splitlines())
    with pytest.raises(ConfigError) as caught:
        load(str(path))
    assert f"line {line}, lexicon" in str(caught.value)
