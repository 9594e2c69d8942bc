"""Whose sound is it: the caller's, our own coming back, or somebody's in the background? By level. Pure.

Hears from: `voice.pipeline.caller_leg`. Tells: the same; what is foreign counts as silence.
"""

from __future__ import annotations

from collections import deque

ECHO_RETURN_DB = 15.0
"""Our own voice comes back at least this much quieter: lines with echo control return −20 dB and less."""
ECHO_LATE_S = 0.4
"""How long after we sent it an echo may arrive: 40 ms of our ring, 60 ms of jitter buffer, up to 300 ms round trip."""
BEHIND_DB = 15.0
"""Talk this much below the caller's own level is somebody further away. A mouth at 2 cm and one at 40 cm differ by
26 dB in free field, a room gives some 8 dB of it back."""
NEAR_DB = -36.0
"""Speech this loud is a caller's whatever came before: one who has shouted may go on in a normal voice. Active levels
(ITU-T P.56) on telephone lines lie between −15 and −35 dBFS."""
FORGETS_DB_S = 0.5
"""The caller may be the one who got quieter (turned away, crying): each second of such talk lowers the bar by this."""
FLOOR_WINDOWS = 156
"""5 s of windows of 32 ms; nothing is said of a line before a fifth of it."""
LOUD_FLOOR_DB = -40.0
"""A floor [dBFS, 10th percentile] that a voice detector may take for speech; idle lines lie under -60, our own echo at
-43 and less."""
STANDS_OUT_DB = 13.0
"""`voice.engines.certainty.DROWNED_DB`: babble alone reaches 10 dB over its own quietest tenth, with a caller as loud
as it 12.8, with one 5 dB louder 13.3 and more."""
_LOUD_SHARE = 0.8
_SILENT_DB = -120.0


class EchoReference:
    """Level of what was sent, by call time: caller sound not louder than its echo could be is not the caller's."""

    def __init__(self) -> None:
        self._sent: deque[tuple[float, float]] = deque(maxlen=32)

    def sent(self, at_s: float, level_db: float) -> None:
        """20 ms with ``level_db`` [dBFS] went to the caller at ``at_s``."""
        self._sent.append((at_s, level_db))

    def loudest_db(self, at_s: float) -> float:
        """Of what may be echoed at ``at_s`` [dBFS]."""
        return max((level for t, level in self._sent if at_s - ECHO_LATE_S <= t <= at_s), default=_SILENT_DB)

    def masks(self, at_s: float, level_db: float) -> bool:
        """Sound of this level at this time may be our own."""
        return level_db < self.loudest_db(at_s) - ECHO_RETURN_DB


class NoiseFloor:
    """How loud the line is when nobody speaks into it; sound that hardly stands out of a loud one stops no agent."""

    def __init__(self) -> None:
        self._levels_db: deque[float] = deque(maxlen=FLOOR_WINDOWS)

    def heard(self, level_db: float) -> None:
        """Every window of the line, speech or not."""
        self._levels_db.append(level_db)

    def hides(self, level_db: float) -> bool:
        """Sound of this level may be the noise itself."""
        levels = sorted(self._levels_db)
        if len(levels) < FLOOR_WINDOWS // 5:
            return False
        floor_db = levels[len(levels) // 10]
        return floor_db > LOUD_FLOOR_DB and level_db < floor_db + STANDS_OUT_DB


class NearGate:
    """How loud the caller speaks, learnt from turns with words; quieter talk begins no turn."""

    def __init__(self) -> None:
        self.caller_db: float | None = None
        """Level of the caller's loud syllables [dBFS]; None until something was understood."""
        self._turn_db: list[float] = []

    def speech(self, level_db: float) -> None:
        """A window of the present turn."""
        self._turn_db.append(level_db)

    def turn_ended(self, *, understood: bool) -> None:
        levels, self._turn_db = sorted(self._turn_db), []
        if not understood or not levels:
            return
        loud_db = levels[int(_LOUD_SHARE * (len(levels) - 1))]
        self.caller_db = loud_db if self.caller_db is None else (self.caller_db + loud_db) / 2

    def masks(self, level_db: float, window_s: float) -> bool:
        """Speech of this level, with no turn under way, is somebody else's."""
        if self.caller_db is None or level_db >= min(NEAR_DB, self.caller_db - BEHIND_DB):
            return False
        self.caller_db -= FORGETS_DB_S * window_s
        return True
