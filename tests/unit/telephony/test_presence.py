"""A phone that answered OPTIONS and does so no more is not rung; one that never did is."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.presence import Presence, address, request, status_of
from telephony.routing import order, skipped
from telephony.settings import Target


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([], "unknown"),
        ([0, 0, 0], "unknown"),
        ([486], "unknown"),
        ([405, 501, 404, 401], "unknown"),
        ([200], "available"),
        ([200, 405], "available"),
        ([200, 0], "absent"),
        ([200, 480], "absent"),
        ([200, 486], "absent"),
        ([200, 0, 405], "absent"),
        ([200, 0, 200], "available"),
    ],
)
def test_what_the_answers_say(answers: list[int], state: str) -> None:
    phone = Presence()
    for status in answers:
        phone.answered(status)
    assert phone.state == state


@given(st.lists(st.sampled_from([0, 200, 302, 401, 404, 405, 408, 480, 486, 500, 503, 600, 603])))
def test_nobody_who_never_answered_with_2xx_is_skipped(answers: list[int]) -> None:
    phone = Presence()
    for n, status in enumerate(answers):
        before = phone.state
        assert phone.answered(status) == (phone.state != before)
        assert phone.state != "absent" or 200 in answers[:n]


@pytest.mark.parametrize(
    ("uri", "proxy", "to"),
    [
        ("sip:care@192.0.2.1", "", ("192.0.2.1", 5060)),
        ("sip:care@192.0.2.1:5070;x=y", "", ("192.0.2.1", 5070)),
        ("sip:care@[2001:db8::1]:5070", "", ("2001:db8::1", 5070)),
        ("sip:care@desk.example", "sip:192.0.2.9:5080", ("192.0.2.9", 5080)),
        ("sip:care@192.0.2.1;transport=tcp", "", None),
        ("sips:care@192.0.2.1", "", None),
    ],
)
def test_where_it_is_asked(uri: str, proxy: str, to: tuple[str, int] | None) -> None:
    assert address(Target(name="x", uri=uri), proxy) == to


def test_only_the_answer_to_this_request_counts() -> None:
    sent = request("sip:care@192.0.2.1", "127.0.0.1:1", "abc").decode()
    assert sent.startswith("OPTIONS sip:care@192.0.2.1 SIP/2.0\r\n")
    assert sent.endswith("Content-Length: 0\r\n\r\n")
    answer = "SIP/2.0 {} X\r\nCall-ID: {}@127.0.0.1:1\r\nCSeq: 1 OPTIONS\r\n\r\n"
    assert status_of(answer.format(486, "abc").encode(), "abc") == 486
    assert status_of(answer.format(100, "abc").encode(), "abc") is None
    assert status_of(answer.format(200, "abd").encode(), "abc") is None
    assert status_of(b"\xff\xfe", "abc") is None


def test_why_a_target_was_skipped() -> None:
    now = datetime(2026, 1, 5, 12, 0)  # a Monday
    targets = [
        Target(name="here", uri="sip:a@x"),
        Target(name="gone", uri="sip:b@x"),
        Target(name="shut", uri="sip:c@x", hours="Tu 00:00-24:00"),
        Target(name="other", uri="sip:d@x", skills=["cards"]),
    ]
    absent = {"gone": "absent"}
    chosen = order(targets, "billing", "request", now, absent, "")
    assert [t.name for t in chosen] == ["here"]
    assert skipped(targets, chosen, now, absent) == {"gone": "absent", "shut": "closed", "other": "skill"}
