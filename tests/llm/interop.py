"""The agent with a real language model (`make interop-llm`): for the plumbing, not for quality; outside `make test`.

Shows that replies stream from it sentence by sentence, that nothing of it is said to which the guard objects, that one
over the budget is replaced, that a choice is on the list or none; then one call by SIP whose worker asks it. Prints
what it was given and what it made of it; exit 1 if anything of that is not so. The model is tiny: most that it writes
is refused.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from openai import AsyncOpenAI

from telephony.facts import Chosen
from tests.interop.system_rig import LiveCall, World
from tests.interop.test_language_model import spoken
from tests.llm.server import MODEL, ServerFailed, free_port, serving
from tests.unit.voice.conversation.line import PLAYBOOK, Line
from voice.conversation.choices import decided, offered
from voice.conversation.commands import Choose, Say
from voice.engines.chooser import ModelChooser
from voice.engines.guard import objection, sentences
from voice.engines.replier import RephrasingReplier

CALLER = ("Where is my order?", "four five one nine", "Yes, that's right.", "My bill is wrong.", "one two three four",
          "Yes.", "forty dollars", "Yes please.", "No thanks, that's all.")  # fmt: skip
UNKNOWN = ("How fast is the mail?", "Do you sell kettles?", "What is the name of your company?")
PATIENT_S = 30.0
"""Long enough that every answer is the model's: what it says is looked at here, not how fast."""
HURRIED_S = 0.02
RATE_WPM = 165.0
LONG = "Tell me a long story about a lighthouse. Use many sentences."


def main() -> int:
    try:
        with serving(free_port()) as url:
            failed = asyncio.run(_talk(url))
            failed += asyncio.run(_call(url))
    except ServerFailed as exc:
        failed = [f"the model's server did not start: {exc}"]
    for why in failed:
        print("FAILED:", why)
    print("language model: " + ("not as it should be" if failed else "all as it should be"))
    return 1 if failed else 0


def replies() -> list[str]:
    """What the dialogue says in one call, as it would go to synthesis."""
    line = Line()
    line.start()
    for said in CALLER:
        line.caller(said)
    return [action.text for action in line.actions if isinstance(action, Say) and not action.keep]


async def _talk(url: str) -> list[str]:
    client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
    patient = RephrasingReplier(client, MODEL, budget_s=PATIENT_S)
    failed = await _streams(patient)
    reworded = 0
    for text in replies():
        parts = [part async for part in patient.word(text, RATE_WPM)]
        reworded += any(p.of_model for p in parts)
        said = " ".join(p.text for p in parts)
        print(f"reply: {text}\n said: {said}   ({parts[-1].why or 'the model'})")
        pairs = list(zip(sentences(text), sentences(said), strict=True))
        failed += [f"said against the guard: {b}" for a, b in pairs if a != b and objection(a, b)]
    print(f"{len(replies())} replies, {reworded} with words of the model")
    hurried = RephrasingReplier(client, MODEL, budget_s=HURRIED_S)
    late = [part async for part in hurried.word("I can look that up. What is your order number?", RATE_WPM)]
    print(f"within {HURRIED_S} s: {late}")
    if [p.why for p in late] != ["late"]:
        failed.append(f"an answer over the budget was not replaced: {late}")
    chooser = ModelChooser(client, MODEL, budget_s=PATIENT_S)
    for said in UNKNOWN:
        ask = Choose(said=said, offered=offered(PLAYBOOK, person=True), start=0.0, end=1.0)
        began, picked = time.monotonic(), await chooser.choose(ask)
        fact = decided(ask, picked).fact
        assert isinstance(fact, Chosen)
        took_s = time.monotonic() - began
        print(f"caller: {said}\n model: {picked.calls or picked.text!r} in {took_s:.1f} s, taken for: "
              f"{fact.kind} {fact.name} {fact.refused}")  # fmt: skip
        if picked.failed:
            failed.append(f"no choice came: {picked.failed}")
    await client.close()
    return failed


async def _streams(replier: RephrasingReplier) -> list[str]:
    """The first sentence is there before the last one is written."""
    began = time.monotonic()
    at = [(time.monotonic() - began, sentence) async for sentence in replier.stream(LONG)]
    print("streamed: " + " | ".join(f"{t:.2f} s {s}" for t, s in at))
    return [] if len(at) > 1 and at[-1][0] > at[0][0] else ["its sentences did not come one by one"]


async def _call(url: str) -> list[str]:
    """One call by SIP: its greeting is given to the model, and what the playbook does not know is asked of it."""
    with tempfile.TemporaryDirectory() as folder:
        agent = f'\n[agent]\nllm_base_url = "{url}"\nllm_model = "{MODEL}"\n'
        world = await World.start(Path(folder), extra=agent)
        try:
            caller = await world.phone("anna")
            call = await world.call(caller)
            await call.fact("Said", prompt="")
            caller.send(do="play", file=spoken(Path(folder) / "asks.wav", UNKNOWN[-1]))
            await call.fact("Said", prompt="", n=2)
            caller.send(do="hangup")
            await call.settled()
        finally:
            await world.close()
        return _judged(call)


def _judged(call: LiveCall) -> list[str]:
    for fact in call.facts:
        if fact["fact"] in ("Transcribed", "Worded", "Chosen", "Said"):
            print({k: v for k, v in fact.items() if k in ("t", "fact", "text", "sentences", "why", "name", "refused")})
    worded = call.all("Worded")
    reached = [f for f in worded if f["sentences"] or f["why"] not in ("", "late") and not f["why"].endswith("Error")]
    failed = [] if reached else [f"no reply of the call is the model's or was refused by the guard: {worded}"]
    return failed + ([] if call.all("Chosen") else ["the model was not asked what the caller meant"])


if __name__ == "__main__":
    sys.exit(main())
