from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import make_call
from voice.store import comments, retention
from voice.store.index import Index

CALL = "20261124-091203-4f2a9c"
ANCHOR = comments.Anchor(start=40.0, end=44.5, turn=0, question="tone")


def test_a_thread_keeps_every_word_and_step(index: Index) -> None:
    opened = comments.open_thread(index, CALL, ANCHOR, author="mara", text="Too brisk?")
    answered = comments.reply(index, opened["id"], author="lee", text="I think so.")
    resolved = comments.reply(index, opened["id"], author="mara", text="", step="resolved")
    assert not opened["resolved"]
    assert not answered["resolved"]
    assert resolved["resolved"]
    assert [(c["author"], c["step"], c["text"]) for c in resolved["comments"]] == [
        ("mara", "said", "Too brisk?"), ("lee", "said", "I think so."), ("mara", "resolved", ""),
    ]  # fmt: skip
    assert comments.of_call(index, CALL) == [resolved]
    assert not comments.reply(index, opened["id"], author="lee", text="No.", step="reopened")["resolved"]


def test_threads_come_by_call_time_and_only_those_of_the_call(index: Index) -> None:
    late = comments.open_thread(index, CALL, ANCHOR, author="mara", text="late")
    early = comments.open_thread(index, CALL, comments.Anchor(start=1, end=2), author="mara", text="early")
    comments.open_thread(index, "other", ANCHOR, author="mara", text="elsewhere")
    assert [t["id"] for t in comments.of_call(index, CALL)] == [early["id"], late["id"]]


def test_a_step_that_changes_nothing_and_a_reply_to_a_reply_are_refused(index: Index) -> None:
    opened = comments.open_thread(index, CALL, ANCHOR, author="mara", text="x")
    comments.reply(index, opened["id"], author="lee", text="y")
    with pytest.raises(comments.NotOpen):
        comments.reply(index, opened["id"], author="lee", text="", step="reopened")
    with pytest.raises(comments.NoSuchThread):
        comments.reply(index, opened["id"] + 1, author="lee", text="to the reply")
    with pytest.raises(comments.NoSuchThread):
        comments.reply(index, 99, author="lee", text="to nothing")


def test_before_judging_a_reviewer_sees_only_their_own_threads(index: Index) -> None:
    comments.open_thread(index, CALL, ANCHOR, author="mara", text="hers")
    comments.open_thread(index, CALL, ANCHOR, author="kim", text="his")
    threads = comments.of_call(index, CALL)
    assert [t["comments"][0]["text"] for t in comments.visible(threads, "kim", judged=False)] == ["his"]
    assert comments.visible(threads, "kim", judged=True) == threads


def test_an_erased_call_takes_its_comments_along(store: Path) -> None:
    make_call.distress(store)
    index = Index.open(store)
    comments.open_thread(index, CALL, ANCHOR, author="mara", text="a caller's words quoted")
    retention.erase(store, CALL, index=index)
    assert comments.of_call(index, CALL) == []
    index.close()
