"""Checks how sentences sound: no claimed feelings, no gush, no blame, plain and short. Pure.

Over the phone nobody can reread: sentences stay under 24 words, and an apology under 7 s, followed by what can be done.
Hears from: `voice.playbooks`, `voice.conversation.prompts`. Tells: tests and the playbook check.
"""

from __future__ import annotations

import re

from voice.conversation.tables import read_table
from voice.conversation.words import find, tokens

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")
_VOWELS = re.compile(r"[aeiouy]+")
_APOLOGY = "sorry|apologise|apologize|my apologies"
_LISTS = ("claimed_feelings", "gush", "blame", "stiff")


def faults(text: str) -> list[str]:
    """What is wrong with a text the agent may say, one line each; empty if nothing is."""
    table = read_table("style.toml")
    heard = tokens(text)
    out = [f"{name}: {phrase!r}" for name in _LISTS for phrase in table[name] if find(heard, phrase)]
    sentences = [s.strip() for s in _SENTENCE.findall(text) if s.strip(" .!?")]
    out += [
        f"sentence of {len(s.split())} words: {s!r}"
        for s in sentences
        if len(s.split()) > table["longest_sentence_words"]
    ]
    words = len(text.split())
    if words > table["longest_turn_words"]:
        out.append(f"{words} words in one turn")
    if words >= 8 and (grade := reading_grade(text)) > table["reading_grade"]:
        out.append(f"reading grade {grade:.1f}")
    if text.count("!"):
        out.append("exclamation mark")
    return out + _apology(sentences, int(table["longest_apology_words"]))


def reading_grade(text: str) -> float:
    """Flesch-Kincaid grade level (Kincaid et al. 1975), syllables counted by vowel groups."""
    words = re.findall(r"[A-Za-z']+", text)
    sentences = max(1, len([s for s in _SENTENCE.findall(text) if s.strip(" .!?")]))
    syllables = sum(_syllables(w.lower()) for w in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / max(1, len(words)) - 15.59


def _apology(sentences: list[str], longest: int) -> list[str]:
    sorry = [k for k, s in enumerate(sentences) if find(tokens(s), _APOLOGY)]
    out = []
    if len(sorry) > 1:
        out.append("more than one apology")
    for k in sorry:
        if len(sentences[k].split()) > longest:
            out.append("apology longer than 7 s")
        if k == len(sentences) - 1:
            out.append("apology without a remedy or a choice after it")
    return out


def _syllables(word: str) -> int:
    count = len(_VOWELS.findall(word))
    return max(1, count - (word.endswith("e") and not word.endswith("le") and count > 1))
