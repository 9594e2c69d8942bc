from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.store import forms

SHIPPED = forms.load(Path("/nonexistent"))
NEWEST = forms.newest(SHIPPED.values())
QUESTION = '[[questions]]\nkey = "{}"\ntext = "Well?"\n'
HEAD = 'name = "own"\nversion = 1\ntitle = "Own"\n'


def test_the_newest_shipped_form_has_weights_a_fatal_item_conditions_and_anchors() -> None:
    assert set(SHIPPED) == {"call-review/1", "call-review/2"}
    assert NEWEST.ident == "call-review/2"
    assert len({q.weight for q in NEWEST.questions}) > 1
    assert [q.key for q in NEWEST.questions if q.fatal_at] == ["truthful"]
    assert {q.when.call for q in NEWEST.questions} >= {"handoff", "callback"}
    assert all("1" in q.anchors and "5" in q.anchors for q in NEWEST.questions)


def test_the_score_is_the_weighted_mean_of_what_was_answered() -> None:
    # (3 * 1.0 + 2 * 0.5) / 5
    assert forms.score(NEWEST, {"understood": 5, "tone": 3}, {}).percent == 80.0
    assert forms.score(NEWEST, {}, {}).percent is None


def test_a_fatal_answer_fails_the_whole_review() -> None:
    failed = forms.score(NEWEST, {"understood": 5, "tone": 5, "truthful": 1}, {})
    assert (failed.percent, failed.fatal) == (0.0, ("truthful",))
    assert forms.score(NEWEST, {"understood": 5, "truthful": 2}, {}).fatal == ()


@pytest.mark.parametrize(
    ("answers", "about"),
    [
        ({"height": 3}, {}),
        ({"briefing": 3}, {}),
        ({"callback": 3}, {"handoff": True}),
        ({"handoff": 4, "too_late": 2}, {}),
        ({"too_late": 2}, {}),
        ({"tone": 6}, {}),
    ],
)
def test_what_is_not_asked_cannot_be_answered(answers: dict[str, int], about: dict[str, bool]) -> None:
    with pytest.raises(forms.BadAnswers):
        forms.score(NEWEST, answers, about)


def test_conditions_open_questions() -> None:
    assert forms.score(NEWEST, {"briefing": 5}, {"handoff": True}).percent == 100.0
    assert forms.score(NEWEST, {"handoff": 3, "too_late": 1}, {}).percent == 37.5


@given(
    answers=st.dictionaries(st.sampled_from([q.key for q in NEWEST.questions]), st.integers(1, 5)),
    about=st.dictionaries(st.sampled_from(["handoff", "callback"]), st.booleans()),
)
def test_a_better_answer_never_lowers_the_score(answers: dict[str, int], about: dict[str, bool]) -> None:
    asked = {q.key for q in forms.asked(NEWEST, answers, about)}
    kept = {k: v for k, v in answers.items() if k in asked}
    before = forms.score(NEWEST, kept, about).percent
    assert before is None or 0 <= before <= 100
    for key, value in kept.items():
        # an answer on which other questions hang changes what is asked, and so what is weighed
        if value < 5 and not any(q.when.question == key for q in NEWEST.questions):
            after = forms.score(NEWEST, kept | {key: value + 1}, about).percent
            assert after is not None
            assert before is not None
            assert after >= before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = ", "Invalid"),
        (HEAD, "questions"),
        (HEAD + QUESTION.format("a") * 2, "comes twice"),
        (HEAD + QUESTION.format("a") + 'when.question = "b"\n', "does not come before"),
        (HEAD + QUESTION.format("a") + "colour = 1\n", "colour"),
        (HEAD + QUESTION.format("a") + "weight = -1\n", "weight"),
        (HEAD + QUESTION.format("A b"), "key"),
    ],
)
def test_a_bad_form_is_told_in_one_line(text: str, says: str) -> None:
    with pytest.raises(forms.BadForm, match=says) as told:
        forms.parse(text, "own.toml")
    assert "\n" not in str(told.value)


def test_own_forms_lie_in_the_store_and_a_version_is_never_changed(tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    text = HEAD + QUESTION.format("a")
    (tmp_path / "forms" / "own.toml").write_text(text)
    assert set(forms.load(tmp_path)) == {*SHIPPED, "own/1"}
    assert forms.parse(text, "x").digest != forms.parse(text + "weight = 2\n", "x").digest
    (tmp_path / "forms" / "other.toml").write_text(text + "weight = 2\n")
    with pytest.raises(forms.BadForm, match="a changed form is a new version"):
        forms.load(tmp_path)
