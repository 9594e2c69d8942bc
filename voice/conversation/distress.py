"""Interface of the detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol


class VoiceEvidence(Protocol):
    """State of the voice's own detector after a window (`prosody.detector.VoiceState`)."""

    @property
    def level(self) -> Literal["calm", "attend"]: ...
    @property
    def statistic(self) -> float: ...
    @property
    def threshold(self) -> float: ...
    @property
    def far_past(self) -> bool: ...
    @property
    def windows(self) -> Sequence[tuple[float, float, float]]: ...


class Detector(Protocol):
    """Sequential decision on the voice alone (`prosody.detector.VoiceDetector`)."""

    def receive(
        self, *, start: float, end: float, p_distress: float | None, arousal: float | None
    ) -> VoiceEvidence: ...
