"""Who words the reply. The built-in one says what the dialogue decided; a language model may only rephrase it.

Claims of fact, numbers and addresses come from configuration and slots, never from a model: a rephrasing that brings a
number, a promise, a name or a "not" the built-in reply did not have, drops one, sounds wrong or is late, is thrown away
and the built-in text is said. What a caller says reaches the model only as values inside that text, and whatever those
make the model answer has to pass the same checks.

Hears from: the pipeline. Tells: the pipeline, a text.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Protocol

import structlog

from telephony.settings import Settings, read_secret
from voice.conversation.style import faults

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = structlog.get_logger(__name__)

BUDGET_S = 1.5
_LONGER = 1.5
"""A rephrasing may be this much longer than the text it replaces."""
_KEPT = 0.7
"""Share of the original's longer words that a rewording keeps; what a caller talked a model into saying does not."""

_NUMBER_WORDS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million first second "
    "third double triple half quarter".split()
)
_CLAIMS = frozenset(
    "refund refunded refunds free guarantee guaranteed guarantees promise promised promises compensation compensate "
    "voucher discount credit credited gift bonus today tomorrow tonight immediately monday tuesday wednesday "
    "thursday friday saturday sunday always cancelled canceled deleted paid transferred transfer approved confirmed "
    "verified password pin email website link".split()
)
"""Words that commit the company to something; a rephrasing may keep them, never bring them."""
_NEGATIONS = frozenset({"no", "not", "never", "nothing", "nobody", "cannot", "without"})
_MARKUP = re.compile(r"[*_#<>{}\[\]`|]|https?:|www\.|@|\n\s*[-\d]")
_INSTRUCTION = (
    "You reword one reply of a telephone agent so that it sounds natural when spoken. Keep every fact, number, name, "
    "question and promise exactly; add none. Plain English, no lists, no markup, no longer than the original. "
    "Answer with the reworded reply only."
)


class Replier(Protocol):
    @property
    def verbatim(self) -> bool:
        """Every text comes back as it is, and at once."""
        ...

    async def word(self, text: str) -> str:
        """``text`` as it will be said."""
        ...


class BuiltInReplier:
    """Says what the dialogue decided."""

    verbatim = True

    async def word(self, text: str) -> str:
        return text


class RephrasingReplier:
    """Any OpenAI-compatible server, within `BUDGET_S`, else the text itself."""

    verbatim = False

    def __init__(self, client: AsyncOpenAI, model: str, *, budget_s: float = BUDGET_S) -> None:
        self._client = client
        self._model = model
        self._budget_s = budget_s

    async def close(self) -> None:
        await self._client.close()

    async def word(self, text: str) -> str:
        from openai import OpenAIError

        try:
            async with asyncio.timeout(self._budget_s):
                answer = await self._client.chat.completions.create(
                    model=self._model,
                    messages=[{"role": "system", "content": _INSTRUCTION}, {"role": "user", "content": text}],
                    temperature=0.3,
                    max_tokens=20 + 2 * len(text.split()),
                )
        except (OpenAIError, TimeoutError, ValueError) as exc:  # ValueError: a body that is not JSON
            log.warning("language model gave no reply in time; saying the built-in one", error=type(exc).__name__)
            return text
        said = (answer.choices[0].message.content or "").strip() if answer.choices else ""
        if (why := objection(text, said)) is not None:
            log.warning("language model's reply refused; saying the built-in one", why=why)
            return text
        return said


def objection(original: str, reworded: str) -> str | None:
    """Why a rephrasing may not be said, or None."""
    if not reworded:
        return "empty"
    if len(reworded) > _LONGER * len(original) + 20:
        return "too long"
    if numbers(original) != numbers(reworded):
        return "numbers differ"
    if len(_content(original) & _content(reworded)) < _KEPT * len(_content(original)):
        return "another sentence"
    if _MARKUP.search(reworded):
        return "markup or an address"
    before, after = _words(original), _words(reworded)
    if new := (after & _CLAIMS) - before:
        return f"new claim: {min(new)}"
    if bool(before & _NEGATIONS) != bool(after & _NEGATIONS):
        return "a no came or went"
    if new := _names(reworded) - before:
        return f"new name: {min(new)}"
    if faults(reworded) and not faults(original):
        return "style"
    if original.rstrip().endswith("?") and "?" not in reworded:
        return "the question is gone"
    return None


def _words(text: str) -> frozenset[str]:
    expanded = text.lower().replace("’", "'").replace("can't", "can not").replace("won't", "will not")
    return frozenset(re.findall(r"[a-z]+", expanded.replace("n't", " not")))


def _content(text: str) -> frozenset[str]:
    return frozenset(w for w in _words(text) if len(w) >= 4)


def _names(text: str) -> frozenset[str]:
    """Capitalised words that do not begin a sentence: names, places, days."""
    inside = re.findall(r"(?<=[a-z0-9,;:] )([A-Z][a-z]+)", text)
    return frozenset(w.lower() for w in inside)


def numbers(text: str) -> list[str]:
    """Digit runs and number words of a text, in order."""
    words = re.findall(r"\d+|[a-z]+", text.lower())
    return [w for w in words if w.isdigit() or w in _NUMBER_WORDS]


def load_replier(settings: Settings) -> Replier:
    agent = settings.agent
    if not agent.llm_base_url:
        return BuiltInReplier()
    from openai import AsyncOpenAI

    key = read_secret("agent.llm_api_key_file", agent.llm_api_key_file) if agent.llm_api_key_file else "none"
    client = AsyncOpenAI(base_url=agent.llm_base_url, api_key=key, max_retries=0, timeout=BUDGET_S)
    return RephrasingReplier(client, agent.llm_model)
