"""A whole call by SIP with a worker whose configuration names a language model's server: ours, over real HTTP."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
import soxr

from tests.interop.system_rig import World
from tests.protocol.chat_server import Answer, serving

pytestmark = pytest.mark.timeout(240)

GREETING = "So, how can I help you today?"
ANSWER = "A delivery takes three working days."


def model(request: dict[str, Any]) -> Answer:
    """Rewords what it may, and looks up the time of delivery for whatever the playbook does not know."""
    if "tools" in request:
        return {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {
            "name": "look_up_article", "arguments": json.dumps({"article": "delivery_time"})}}]}  # fmt: skip
    text = str(request["messages"][1]["content"])
    return f"So, {text[0].lower() if text[1] != ' ' else text[0]}{text[1:]}"


def spoken(path: Path, text: str) -> str:
    """A caller's sentence, in espeak-ng's voice, at 8 kHz."""
    whole = path.with_suffix(".whole.wav")
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "-w", str(whole), text], check=True)
    sound, rate = sf.read(whole, dtype="float32")
    sf.write(path, soxr.resample(sound, rate, 8000), 8000, subtype="PCM_16")
    return str(path)


async def test_a_configured_model_words_the_replies_of_a_call_and_chooses_what_was_not_recognised(
    tmp_path: Path,
) -> None:
    with serving(model) as chat:
        world = await World.start(tmp_path, extra=f'\n[agent]\nllm_base_url = "{chat.url}"\nllm_model = "small"\n')
        try:
            caller = await world.phone("anna")
            call = await world.call(caller)
            caller.send(do="key", digits="5")  # cuts the disclosure short
            greeted = await call.fact("Said", prompt="")
            assert greeted["text"] == GREETING
            assert (await call.fact("Worded", turn=greeted["turn"]))["sentences"] == 1
            caller.send(do="play", file=spoken(tmp_path / "asks.wav", "What is the name of your company?"))
            chosen = await call.fact("Chosen")
            assert (chosen["kind"], chosen["name"], chosen["refused"]) == ("article", "delivery_time", "")
            told = await call.fact("Said", prompt="", n=2)
            caller.send(do="hangup")
            await call.settled()
        finally:
            await world.close()
    assert told["text"].startswith(ANSWER)
    rules = [json.loads(line)["rule"] for line in (call.folder / "decisions.jsonl").read_text("utf-8").splitlines()]
    assert "model.choice" in rules
    assert not call.all("HandoffRequested")
    assert {bool(r.get("tools")) for r in chat.requests} == {True, False}
