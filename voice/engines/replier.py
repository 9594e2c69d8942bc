"""Who words the reply. The built-in one says what the dialogue decided; a language model may only rephrase it.

The model is given no tools and no choice: what happens in a call is decided by the dialogue before it is asked. Its
answer is read sentence by sentence as it streams in. Each has to say what the sentence it replaces says, in words of
that sentence or of a short list of harmless ones: no number, name, promise or address it did not have, no "not" that
comes or goes. The first that does not ends the exchange, and so does the budget; what was not replaced by then is
said as the dialogue has it. What a caller says reaches the model only as values inside that text.

Hears from: the pipeline. Tells: the pipeline, a text.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
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
_HARMLESS = frozenset(
    "a about all alright also an and any anything are as at be been before but by can check come could did do "
    "does done else first for from get give given go going got had has have hear heard help here how i if in into "
    "is it its just keep know let like look looking make may me more my need needed next now of off okay on once "
    "one or order our out over part please put quite ready really right said say see should so some something "
    "soon still sure take taken tell than thank thanks that the their them then there these they thing things "
    "this those through time to too try up us very want was way we well were what when where which while who will "
    "with would yes yet you your".split()
)
"""Words a rephrasing may bring along: they commit nobody to anything."""
_STEM = 5
_ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'])")
_NEGATIONS = frozenset({"no", "not", "never", "nothing", "nobody", "cannot", "without"})
_HEDGES = frozenset({"should", "may", "might", "could", "about", "usually", "try"})
_MARKUP = re.compile(r"[*_#<>{}\[\]`|]|https?:|www\.|@|\n\s*[-\d]")
_INSTRUCTION = (
    "You reword one reply of a telephone agent so that it sounds natural when spoken. Keep every fact, number, name, "
    "question and promise exactly; add none. Reword sentence by sentence, in the same order. Plain English, no lists, "
    "no markup, no longer than the original. "
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

        said: list[str] = []
        original = sentences(text)
        try:
            async with asyncio.timeout(self._budget_s):
                async for sentence in self.stream(text):
                    expected = original[len(said)] if len(said) < len(original) else ""
                    if (why := objection(expected, sentence)) is not None:
                        log.warning("language model's reply refused; saying the built-in one", why=why)
                        break
                    said.append(sentence)
        except (OpenAIError, TimeoutError, ValueError) as exc:  # ValueError: a body that is not JSON
            log.warning("language model gave no reply in time; saying the built-in one", error=type(exc).__name__)
        return " ".join([*said, *original[len(said) :]])

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
                *whole, rest = _ENDS.split(rest)
                for sentence in whole:
                    if sentence.strip():
                        yield sentence.strip()
        if rest.strip():
            yield rest.strip()


def sentences(text: str) -> list[str]:
    """Cut where one ends and the next begins with a capital.

    >>> sentences("Order 4519 left at 3.30 p.m. today. Is that all?")
    ['Order 4519 left at 3.30 p.m. today.', 'Is that all?']
    """
    return [s.strip() for s in _ENDS.split(text) if s.strip()]


def objection(original: str, reworded: str) -> str | None:
    """Why a rephrasing may not be said, or None."""
    if not reworded or not original:
        return "empty" if original else "more than was to be said"
    if len(reworded) > _LONGER * len(original) + 20:
        return "too long"
    if numbers(original) != numbers(reworded):
        return "numbers differ"
    if len(_content(original) & _content(reworded)) < _KEPT * len(_content(original)):
        return "another sentence"
    if _MARKUP.search(reworded):
        return "markup or an address"
    before, after = _words(original), _words(reworded)
    if strange := {w for w in after - before - _HARMLESS if not any(_kin(w, b) for b in before)}:
        return f"new word: {min(strange)}"
    if twice := [
        w for w, n in (_counts(reworded) - _counts(original)).items() if w not in _HARMLESS and n and w in before
    ]:
        return f"said more often: {min(twice)}"
    if bool(before & _NEGATIONS) != bool(after & _NEGATIONS):
        return "a no came or went"
    if before & _HEDGES and not after & _HEDGES:
        return "surer than it is"
    if new := _names(reworded) - before:
        return f"new name: {min(new)}"
    if faults(reworded) and not faults(original):
        return "style"
    if original.rstrip().endswith("?") and "?" not in reworded:
        return "the question is gone"
    return None


def _words(text: str) -> frozenset[str]:
    return frozenset(_counts(text))


def _counts(text: str) -> Counter[str]:
    expanded = text.lower().replace("’", "'").replace("can't", "can not").replace("won't", "will not")
    return Counter(re.findall(r"[a-z]+", expanded.replace("n't", " not")))


def _kin(one: str, other: str) -> bool:
    """Forms of the same word: "arrive", "arriving"; short words have none."""
    return len(one) >= _STEM and len(other) >= _STEM and one[:_STEM] == other[:_STEM]


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


def load_replier(settings: Settings, budget_s: float = BUDGET_S) -> Replier:
    agent = settings.agent
    if not agent.llm_base_url:
        return BuiltInReplier()
    from openai import AsyncOpenAI

    key = read_secret("agent.llm_api_key_file", agent.llm_api_key_file) if agent.llm_api_key_file else "none"
    client = AsyncOpenAI(base_url=agent.llm_base_url, api_key=key, max_retries=0, timeout=budget_s)
    return RephrasingReplier(client, agent.llm_model, budget_s=budget_s)
