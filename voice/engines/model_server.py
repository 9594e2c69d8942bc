"""The OpenAI-compatible server of ``agent.llm_base_url``: one client for whatever asks it.

Hears from: settings. Tells: `voice.engines.replier`, `voice.engines.chooser`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telephony.settings import Settings, read_secret

if TYPE_CHECKING:
    from openai import AsyncOpenAI

BUDGET_S = 1.5
"""A caller waits no longer than this for what a model says: from here on the built-in answer is the better one."""


def client_for(settings: Settings, timeout_s: float) -> AsyncOpenAI | None:
    """None where no server is configured. Nothing is tried twice: the caller is waiting."""
    agent = settings.agent
    if not agent.llm_base_url:
        return None
    from openai import AsyncOpenAI

    key = read_secret("agent.llm_api_key_file", agent.llm_api_key_file) if agent.llm_api_key_file else "none"
    return AsyncOpenAI(base_url=agent.llm_base_url, api_key=key, max_retries=0, timeout=timeout_s)
