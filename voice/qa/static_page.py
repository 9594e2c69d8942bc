"""The replay page as one file that needs no server: style, script, sound and the call itself inside.

Hears from: `voice.scoring`. Tells: a browser, from the file system.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re

import soundfile as sf
from markupsafe import Markup

from voice.qa import rendering
from voice.qa.api import describe
from voice.qa.context_of_call import replay_context
from voice.qa.users import Viewer
from voice.qa.word_times import measured
from voice.store import peaks
from voice.store.calls import CallRecord, Json

MODULES = (
    "format.js", "axis.js", "draw.js", "lanes.js", "peaks.js", "markers.js", "player.js", "transcript.js",
    "words.js", "comments.js", "review.js", "keys.js", "replay.js",
)  # fmt: skip
"""In the order in which each finds what it uses."""
POINTS = 3000


def render(call: CallRecord) -> str:
    """The page. Its own content security policy allows exactly this style and this script."""
    style, script = _style(), bundle()
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; media-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return rendering.environment.get_template("static.html").render(
        **replay_context(call),
        static=True,
        outcome={},
        signed_in=False,
        viewer=Viewer(),
        policy=policy,
        style=Markup(style),  # noqa: S704 - our own files
        script=Markup(script),  # noqa: S704
        # "<" can't occur in the block, so nothing a caller said can end it
        data=Markup(json.dumps(_data(call)).replace("<", "\\u003c")),  # noqa: S704
    )


def bundle() -> str:
    """All modules as one: imports and the word ``export`` go, as every name is used once only."""
    parts = []
    for name in MODULES:
        text = rendering.asset(name).decode()
        text = re.sub(r"^import .*? from .*?;\n", "", text, flags=re.MULTILINE)
        parts.append(re.sub(r"^export (?=(async )?(class|function|const))", "", text, flags=re.MULTILINE))
    return "\n".join(parts)


def _style() -> str:
    icon = base64.b64encode(rendering.asset("icon.svg")).decode()
    style = rendering.asset("style.css").decode() + rendering.asset("replay.css").decode()
    return style.replace('url("icon.svg")', f'url("data:image/svg+xml;base64,{icon}")')


def _data(call: CallRecord) -> Json:
    legs = {leg: path for leg in call.legs() if (path := call.audio(leg)) is not None}
    return {
        **describe(call),
        "words": measured(call),
        "audio": {
            leg: f"data:audio/flac;base64,{base64.b64encode(path.read_bytes()).decode()}" for leg, path in legs.items()
        },
        "peaks": {
            leg: peaks.to_json(peaks.measure(path), sf.info(path).samplerate, 0, 0, POINTS)
            for leg, path in legs.items()
        },
    }


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
