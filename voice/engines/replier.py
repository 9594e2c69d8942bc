"""Who words the reply. The built-in one says what the dialogue decided; a language model may only rephrase it.

What happens in a call is decided before the model is asked. Its answer is read sentence by sentence as it streams in,
and each sentence that `voice.engines.guard` lets pass is handed out at once, to be spoken while the next is written.
The first that does not pass ends the exchange, and so does a sentence that is late; what was not replaced by then is
said as the dialogue has it. What a caller says reaches the model here only as values inside that text.

Hears from: `voice.pipeline.speaking`. Tells: the same, parts of a reply in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from telephony.settings import Settings
from voice.engines.guard import ends, objection, sentences
from voice.engines.model_server import BUDGET_S, client_for

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = structlog.get_logger(__name__)

TOTAL_S = 8.0
"""The longest a reply is waited for in all, however long its first sentences take to say."""
_INSTRUCTION = (
    "You reword one reply of a telephone agent so that it sounds natural when spoken. Keep every fact, number, name, "
    "question and promise exactly; add none. Reword sentence by sentence, in the same order. Plain English, no lists, "
    "no markup, no longer than the original. "
    "Answer with the reworded reply only."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Sentences to be said next. ``why``: what kept the model from wording them, where one was asked."""

    text: str
    of_model: bool = False
    why: str = ""


class Replier(Protocol):
    @property
    def verbatim(self) -> bool:
        """Every text comes back as it is, and at once."""
        ...

    def word(self, text: str, rate_wpm: float) -> AsyncGenerator[Part]:
        """``text`` as it will be said at this pace, in parts, each as soon as it is sure."""
        ...


class BuiltInReplier:
    """Says what the dialogue decided."""

    verbatim = True

    async def word(self, text: str, rate_wpm: float) -> AsyncGenerator[Part]:
        yield Part(text=text)


class RephrasingReplier:
    """Any OpenAI-compatible server; what does not come in time is the text itself.

    The first sentence is due after ``budget_s``, each further one before those in front of it have been said.
    """

    verbatim = False

    def __init__(self, client: AsyncOpenAI, model: str, *, budget_s: float = BUDGET_S) -> None:
        self._client = client
        self._model = model
        self._budget_s = budget_s

    async def close(self) -> None:
        await self._client.close()

    async def word(self, text: str, rate_wpm: float) -> AsyncGenerator[Part]:
        loop = asyncio.get_running_loop()
        asked_s = spoken_until_s = loop.time()
        original, said, why = sentences(text), 0, ""
        heard: asyncio.Queue[Part] = asyncio.Queue()
        reader = loop.create_task(self._read(text, heard))
        try:
            while said < len(original):
                due_s = max(asked_s + self._budget_s, min(spoken_until_s, asked_s + TOTAL_S))
                part = await _by(due_s, heard)
                if why := part.why or objection(original[said], part.text) or "":
                    break
                said += 1
                spoken_until_s = max(spoken_until_s, loop.time()) + 60 * len(part.text.split()) / rate_wpm
                yield part
        finally:
            reader.cancel()
        if why:
            log.warning("language model's reply refused; saying the built-in one", why=why)
            yield Part(text=" ".join(original[said:]) if said else text, why=why)

    async def _read(self, text: str, heard: asyncio.Queue[Part]) -> None:
        from openai import OpenAIError

        why = "too short"
        try:
            async for sentence in self.stream(text):
                heard.put_nowait(Part(text=sentence, of_model=True))
        except (OpenAIError, ValueError) as exc:  # ValueError: a body that is not JSON
            why = type(exc).__name__
        heard.put_nowait(Part(text="", why=why))

    async def stream(self, text: str) -> AsyncIterator[str]:
        """Whole sentences, as soon as each has come. Tool calls are not read: none was offered."""
        stream = await self._client.chat.completions.create(
            model=self._model,
            messages=[{"role": "system", "content": _INSTRUCTION}, {"role": "user", "content": text}],
            temperature=0.3,
            max_tokens=20 + 2 * len(text.split()),
            stream=True,
        )
        rest = ""
        async with stream:
            async for chunk in stream:
                rest += (chunk.choices[0].delta.content or "") if chunk.choices else ""
                *whole, rest = ends(rest)
                for sentence in whole:
                    if sentence.strip():
                        yield sentence.strip()
        if rest.strip():
            yield rest.strip()


async def _by(due_s: float, heard: asyncio.Queue[Part]) -> Part:
    """The next sentence, if it is there by then."""
    try:
        async with asyncio.timeout_at(due_s):
            return await heard.get()
    except TimeoutError:
        return Part(text="", why="late")


def load_replier(settings: Settings, budget_s: float = BUDGET_S) -> Replier:
    client = client_for(settings, TOTAL_S)
    if client is None:
        return BuiltInReplier()
    return RephrasingReplier(client, settings.agent.llm_model, budget_s=budget_s)
