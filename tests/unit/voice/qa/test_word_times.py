from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile as sf
from starlette.testclient import TestClient

from telephony.facts import Said, Transcribed
from tests.browser import make_call
from tests.unit.voice.engines.test_word_times import joined
from tests.unit.voice.qa.conftest import client_of

CALL = "20261124-091203-4f2a9c"
SENTENCE = "Nobody told me that the engineer could not come"


def test_words_are_measured_on_the_line_of_whoever_said_them(tmp_path: Path) -> None:
    """The caller at 1 s on the caller's line, the agent at 8 s on the agent's."""
    sound, spans = joined(SENTENCE, 1)
    length_s = len(sound) / 8000
    m = make_call.Maker(store=tmp_path, call_id=CALL, length_s=16.0)
    m.add(6.0, Transcribed(leg="caller", start=1.0, end=1.0 + length_s, text=SENTENCE))
    m.add(14.0, Said(leg="caller", start=8.0, end=8.0 + length_s, text=SENTENCE))
    folder = m.write()
    line = np.zeros(16 * 8000, np.float32)
    caller, agent = line.copy(), line.copy()
    caller[8000 : 8000 + len(sound)] = sound
    agent[64000 : 64000 + len(sound)] = sound
    sf.write(folder / "caller.flac", np.stack([caller, agent], 1), 8000)
    sf.write(folder / "agent.flac", agent, 8000)
    with client_of(tmp_path) as client:
        both = client.get(f"/api/calls/{CALL}/words?start=0&end=60").json()["turns"]
        assert client.get(f"/api/calls/{CALL}/words?start=5&end=60").json()["turns"] == both[1:]
    for turn, start in zip(both, (1.0, 8.0), strict=True):
        late = [abs(w[0] - start - s[0]) for w, s in zip(turn["words"], spans, strict=True)]
        assert np.median(late) <= 0.04


def test_what_can_not_be_measured_keeps_the_records_times(web: TestClient) -> None:
    assert web.get("/api/calls/20261124-120000-nosound/words?start=0&end=60").status_code == 404
    live = web.get(f"/api/calls/{CALL}/words?start=500&end=400")
    assert live.json()["turns"] == []
    assert web.get(f"/api/calls/{CALL}/words?start=-1").status_code == 422
