"""Playbooks: what an agent knows and says, as TOML. `load` reads one and says where a mistake is.

Hears from: the operator. Tells: `voice.conversation`.
"""

from __future__ import annotations

import re
import string
import tomllib
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from telephony.errors import ConfigError
from voice.playbooks.schema import Article, Identity, Intent, Lookup, Playbook, Slot, Touchpoint

__all__ = ["Article", "Identity", "Intent", "Lookup", "Playbook", "Slot", "Touchpoint", "check", "load", "shipped"]


def shipped() -> list[str]:
    """Names of the playbooks in the package."""
    return sorted(f.name[:-5] for f in resources.files(__name__).iterdir() if f.name.endswith(".toml"))


def load(name_or_path: str) -> Playbook:
    """Reads a playbook by the name of a shipped one or by the path of a TOML file.

    Raises:
        ConfigError: Not there, not TOML, or a key that is missing, unknown or wrong; names file, line and remedy.
    """
    text, file = _read(name_or_path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError("agent.playbook", file, f"not TOML: {exc}") from exc
    try:
        playbook = Playbook(**table)
    except (ValidationError, TypeError) as exc:
        raise ConfigError("agent.playbook", file, _explain(exc, text)) from None
    _check_fields(playbook, file, text)
    _check_examples(playbook, file, text)
    return playbook


def check(name_or_path: str) -> list[str]:
    """What is wrong with how a playbook sounds, one line each with its line in the file.

    Raises:
        ConfigError: As `load`.
    """
    from voice.conversation.style import faults

    playbook, (text, file) = load(name_or_path), _read(name_or_path)
    out = []
    for where, sentence in playbook.spoken_texts().items():
        line = _line_with(text, sentence)
        out += [f"{file}: {line}{where}: {fault}" for fault in faults(sentence)]
    return out


def _read(name_or_path: str) -> tuple[str, str]:
    if name_or_path in shipped():
        return (resources.files(__name__) / f"{name_or_path}.toml").read_text("utf-8"), f"{name_or_path}.toml"
    path = Path(name_or_path)
    try:
        return path.read_text("utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as exc:
        names = ", ".join(shipped())
        remedy = f"no readable playbook; use {names}, or the path of a TOML file"
        raise ConfigError("agent.playbook", name_or_path, remedy) from exc


def _explain(exc: Exception, text: str) -> str:
    if not isinstance(exc, ValidationError):
        return f"{exc}; keys must be [tables] and names"
    first = exc.errors()[0]
    where = ".".join(str(p) for p in first["loc"])
    line = _line_of(text, [str(p) for p in first["loc"]])
    at = f"line {line}, " if line else ""
    what = first["msg"].removeprefix("Value error, ")
    remedy = "remove it" if first["type"] == "extra_forbidden" else "see docs/playbooks.md"
    return f"{at}{where or 'file'}: {what[0].lower()}{what[1:]}; {remedy}"


def _line_of(text: str, loc: list[str]) -> int | None:
    """Line of the deepest key of ``loc`` that stands in the file; TOML's parser keeps no positions."""
    lines = text.splitlines()
    at = found = 0
    for k, key in enumerate(loc):
        if key.isdigit():
            heads = [n for n, line in enumerate(lines) if line.strip() == f"[[{loc[k - 1]}]]"]
            if int(key) < len(heads):
                at = found = heads[int(key)]
            continue
        pattern = re.compile(rf"^\s*(\[+[\w.\"]*\b{re.escape(key)}\b[\w.\"]*\]+|\"?{re.escape(key)}\"?\s*=)")
        hit = next((n for n in range(at, len(lines)) if pattern.match(lines[n])), None)
        if hit is not None:
            at = found = hit
    return found + 1 if found else None


def _line_with(text: str, sentence: str) -> str:
    """``line N, `` where the sentence stands; empty for one of the common phrases."""
    at = next((n for n, line in enumerate(text.splitlines(), 1) if f'"{sentence}"' in line), None)
    return f"line {at}, " if at else ""


def _check_fields(playbook: Playbook, file: str, text: str) -> None:
    """Every {placeholder} of a sentence is a slot of its intent, or (answers) in every record looked up."""
    for intent in playbook.intents:
        records = playbook.records[intent.lookup.table].values() if intent.lookup else []
        common = set.intersection(*(set(r) for r in records)) if records else set()
        keys = ("answer", "answer_upset", "action", "not_found", "not_done", "promise")
        sentences = {key: getattr(intent, key) or "" for key in keys}
        if intent.followup is not None:
            sentences |= {"followup.ask": intent.followup.ask, "followup.done": intent.followup.done}
        for key in sentences:
            known = set(intent.slots) | (common if key.startswith("answer") else set())
            if key == "promise":
                known = set()  # kept as it is, without a caller's details
            sentence = sentences[key]
            for _, name, _, _ in string.Formatter().parse(sentence):
                if name is not None and name not in known:
                    at = _line_with(text, sentence)
                    remedy = (
                        f"{at}intents.{intent.name}.{key}: {{{name}}} is no slot or field of every record; correct it"
                    )
                    raise ConfigError("agent.playbook", file, remedy)


def _check_examples(playbook: Playbook, file: str, text: str) -> None:
    """An example that is not recognised is a promise the playbook does not keep."""
    from voice.conversation.intents import recognise

    for intent in playbook.intents:
        for example in intent.examples:
            guess = recognise(example, playbook)
            if guess is None or guess.intent.name != intent.name:
                got = guess.intent.name if guess else "nothing"
                at = _line_with(text, example)
                remedy = f"{at}intents.{intent.name}.examples: {example!r} is taken for {got}; add keywords"
                raise ConfigError("agent.playbook", file, remedy)
