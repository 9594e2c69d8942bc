"""Scorecard forms: versioned data, one TOML file a version; weights, fatal items, conditions, behavioural anchors.

Those that ship lie beside this module; an operator's own lie in ``<store>/forms``. A version that was used is never
changed: each review keeps the digest of the form it was written on, and a second file of the same version is refused.

Hears from: TOML files. Tells: `voice.store.reviews`, `voice.store.agreement`, `voice.qa`.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voice.errors import UserError

DEFAULT = "call-review"
WORST, BEST = 1, 5
About = Literal["handoff", "distress", "callback", "refused"]
"""What a condition may ask of the call itself."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class When(_Strict):
    """Asked only if the call had ``call``, and the answer to ``question`` is ``at_most``."""

    call: About | None = None
    question: str = ""
    at_most: int = Field(BEST, ge=WORST, le=BEST)


class Question(_Strict):
    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    text: str = Field(min_length=1, max_length=200)
    weight: float = Field(1.0, gt=0, le=100)
    anchors: dict[Literal["1", "2", "3", "4", "5"], str] = Field(default_factory=dict)
    fatal_at: int | None = Field(None, ge=WORST, lt=BEST)
    when: When = When()


class Form(_Strict):
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    version: int = Field(ge=1)
    title: str = Field(min_length=1, max_length=80)
    questions: tuple[Question, ...] = Field(min_length=1, max_length=100)
    digest: str = ""

    @property
    def ident(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """``percent``: weighted mean of the answers, 0 to 100; ``None`` = nothing was answered. Fatal answers make it 0."""

    percent: float | None
    fatal: tuple[str, ...]


class BadForm(UserError):
    """A form that can't be used, and why."""


class BadAnswers(ValueError):
    """Answers that don't fit the form."""


def parse(text: str, origin: str) -> Form:
    """One form.

    Raises:
        BadForm: Not TOML, an unknown key, or a condition on a question that doesn't come before.
    """
    try:
        form = Form(**tomllib.loads(text), digest=hashlib.sha256(text.encode()).hexdigest()[:12])
    except (tomllib.TOMLDecodeError, ValidationError, TypeError) as exc:
        told = exc.errors()[0] if isinstance(exc, ValidationError) else {"loc": (), "msg": str(exc)}
        where = ".".join(str(x) for x in told["loc"])
        raise BadForm(f"{origin}: {where} {told['msg']}".replace("  ", " ")) from None
    seen: set[str] = set()
    for q in form.questions:
        if q.key in seen:
            raise BadForm(f"{origin}: question {q.key!r} comes twice; give each its own key")
        if q.when.question and q.when.question not in seen:
            raise BadForm(f"{origin}: {q.key!r} depends on {q.when.question!r}, which does not come before it")
        seen.add(q.key)
    return form


def load(store: Path) -> dict[str, Form]:
    """Every version of every form by ``name/version``, shipped and own.

    Raises:
        BadForm: A file is no form, or says the version of another file.
    """
    out: dict[str, Form] = {}
    for path in (*sorted(Path(__file__).parent.glob("*.toml")), *sorted((store / "forms").glob("*.toml"))):
        try:
            form = parse(path.read_text("utf-8"), path.name)
        except (OSError, UnicodeDecodeError) as exc:
            raise BadForm(f"{path.name}: not readable as text") from exc
        if form.ident in out:
            raise BadForm(f"{path.name}: {form.ident} exists already; a changed form is a new version")
        out[form.ident] = form
    return out


def newest(forms: Iterable[Form], name: str = DEFAULT) -> Form:
    """The newest version of a form. Raises ValueError if there is none of that name."""
    return max((f for f in forms if f.name == name), key=lambda f: f.version)


def asked(form: Form, answers: Mapping[str, int], about: Mapping[str, bool]) -> list[Question]:
    """The questions whose conditions hold. One that depends on a question not asked is not asked either."""
    out: list[Question] = []
    for q in form.questions:
        on_call = q.when.call is None or about.get(q.when.call, False)
        earlier = {x.key for x in out}
        on_answer = not q.when.question or (
            q.when.question in earlier and q.when.question in answers and answers[q.when.question] <= q.when.at_most
        )
        if on_call and on_answer:
            out.append(q)
    return out


def score(form: Form, answers: Mapping[str, int], about: Mapping[str, bool]) -> Score:
    """Weighted mean over what was answered; an unanswered question counts neither way.

    Raises:
        BadAnswers: An answer to a question that is not on the form, or not asked of this call.
    """
    known = {q.key for q in form.questions}
    questions = {q.key: q for q in asked(form, answers, about)}
    for key, value in answers.items():
        if key not in known:
            raise BadAnswers(f"no question {key!r} on form {form.ident}")
        if key not in questions:
            raise BadAnswers(f"question {key!r} is not asked of this call")
        if not WORST <= value <= BEST:
            raise BadAnswers(f"{key!r} is answered {WORST} to {BEST}")
    if not answers:
        return Score(percent=None, fatal=())
    fatal = tuple(k for k, v in answers.items() if (at := questions[k].fatal_at) is not None and v <= at)
    weights = sum(questions[k].weight for k in answers)
    mean = sum(questions[k].weight * (v - WORST) / (BEST - WORST) for k, v in answers.items()) / weights
    return Score(percent=0.0 if fatal else round(100 * mean, 1), fatal=fatal)


def texts(forms: Iterable[Form]) -> dict[str, str]:
    """Every question ever asked by its key, worded as in the newest form that has it."""
    ordered = sorted(forms, key=lambda f: (f.name, f.version))
    return {q.key: q.text for f in ordered for q in f.questions}


def to_json(form: Form) -> dict[str, Any]:
    return {"form": form.ident, **form.model_dump()}
