from __future__ import annotations

import json
from pathlib import Path

from telephony.facts import ConsentChanged, Disclosed, Erased
from telephony.messages import Stamped, to_line
from tests.browser import make_call
from voice.qa.live import event, events
from voice.qa.tail import QUEUE, Tail


async def first(stream: object, n: int) -> list[dict[str, object]]:
    out: list[dict[str, object]] = []
    async for chunk in stream:  # type: ignore[attr-defined]
        if b"data: " in chunk:
            out.append(json.loads(chunk.split(b"data: ", 1)[1]))
            if len(out) == n:
                break
    return out


async def test_a_listener_gets_what_was_and_what_comes_each_once(tmp_path: Path) -> None:
    folder = make_call.live(tmp_path)
    make_call.calm(tmp_path)
    tail = Tail(tmp_path)
    tail._read()
    committed = [json.loads(x) for x in (folder / "facts.jsonl").read_text().splitlines()]
    stream = events(tail)
    got = await first(stream, len(committed))
    assert got == [{"call": folder.name, **f} for f in committed]

    news = Stamped(seq=len(committed) + 1, t=20.0, fact=Disclosed(text="a\n\nevent: x\ndata: {}", start=1, end=2))
    line = to_line(news)
    with (folder / "facts.jsonl").open("ab") as f:
        f.write(line[:10])
        f.flush()
        assert tail._read() == []
        f.write(line[10:])
    for name, fact in tail._read():
        for queue in tail._listeners:
            queue.put_nowait((name, fact))
    assert [f["seq"] for f in await first(stream, 1)] == [news.seq]


async def test_what_is_erased_is_not_told_to_later_listeners(tmp_path: Path) -> None:
    folder = make_call.live(tmp_path)
    tail = Tail(tmp_path)
    tail._read()
    lines = (folder / "facts.jsonl").read_bytes().splitlines(keepends=True)
    at = next(n for n, x in enumerate(lines) if b"EmotionScored" in x)
    gone = to_line(Stamped(seq=at + 1, t=1.0, fact=Erased(was="EmotionScored")))
    lines[at] = gone[:-2] + b" " * (len(lines[at]) - len(gone)) + b"}\n"
    lines.append(to_line(Stamped(seq=len(lines) + 1, t=21.0, fact=ConsentChanged(purpose="emotion", allowed=False))))
    (folder / "facts.jsonl").write_bytes(b"".join(lines))
    tail._read()
    assert tail.live()[folder.name][at]["fact"] == "Erased"


async def test_an_ended_call_leaves_and_a_slow_listener_is_cut_off(tmp_path: Path) -> None:
    folder = make_call.live(tmp_path)
    tail = Tail(tmp_path)
    tail._read()
    queue = tail.listen()
    for n in range(QUEUE):
        queue.put_nowait(("x", {"seq": n}))
    tail._cut(queue)
    assert queue.get_nowait() is None
    assert queue not in tail._listeners
    with (folder / "facts.jsonl").open("a") as f:
        f.write('{"seq":99,"t":30.0,"fact":"CallEnded","cause":"x","ending":"resolved"}\n')
    tail._read()
    assert tail.live() == {}


async def test_closing_ends_every_stream(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    stream = events(tail)
    assert await anext(stream) == b"retry: 1000\n\n"
    tail.close()
    assert [x async for x in stream] == []
    assert [x async for x in events(tail)] == [b"retry: 1000\n\n"]


def test_no_text_can_end_its_event() -> None:
    told = event("c", {"seq": 1, "text": "x\n\nevent: evil\ndata: 1\r\r"})
    assert told.count(b"\n") == 4
    assert told.count(b"\r") == 0
