"""One window of speech to arousal, probability of distress and five classes, or to "cannot tell" and why.

Hears from: streaming. Tells: the detector, the call's record.

Blocking work for a thread: about 4 ms for the encoder and 6 ms for the measurements of a 2 s window.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from prosody.channel import Channel, abstention, measure_channel
from prosody.detector import DetectorParameters
from prosody.encoder import ENCODER_RATE_HZ, FRAME_S, WIDTH, WhisperEncoder, pool
from prosody.errors import ModelMismatch, ModelMissing
from prosody.features import NAMES, Analysis, Measures, analyse
from prosody.loudness import CallReference, active_level_db
from prosody.samples import BAND_HZ, LEVEL_DBFS, SAMPLE_RATE_HZ, resample
from prosody.streaming import SpeechWindow

__all__ = ["CallReference", "Ear", "WindowScore", "model_folder", "threshold_for"]

SHIPPED = ("open", "research")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowScore:
    """Attributes:
    start, end: Call time [s].
    measures: Measured even where the model abstains.
    arousal: 0 (asleep) to 1 (screaming), calibrated; ``None`` when abstained.
    p_distress: Calibrated probability of fear, anger or strong sadness; ``None`` when abstained.
    p_band: 95 % interval of that probability, see `prosody.training.band`; ``None`` where the model's card has none.
    classes: Probabilities of five acted emotions, a hint for the replay page only; empty when abstained.
    abstained, reason: Whether and why nothing is said. Unknown is never calm.
    """

    start: float
    end: float
    measures: Measures
    arousal: float | None
    p_distress: float | None
    classes: dict[str, float]
    abstained: bool
    reason: str
    p_band: tuple[float, float] | None = None


class Ear:
    """A loaded model and the encoder it was trained with. One per process; calls share it."""

    def __init__(self, folder: Path, encoder: WhisperEncoder) -> None:
        """Use `load`."""
        import onnxruntime

        card, digest = _read_card(folder)
        _check(card, folder, encoder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep the most that any run ever took
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._encoder = encoder
        self.folder: Path = folder
        self._calibration: dict[str, Any] = card["calibration"]
        self.labels: tuple[str, ...] = tuple(card["labels"])
        self.card: dict[str, Any] = card
        self.name: str = str(card["name"])
        self.licence: str = str(card["licence"])
        self.version: str = digest
        self.detector = DetectorParameters(**card["detector"]["parameters"])

    @classmethod
    def load(cls, model: str | Path, encoder: WhisperEncoder) -> Ear:
        """Loads ``open``, ``research`` or a folder with ``model.onnx`` and ``model.yaml``.

        Raises:
            ModelMissing: The folder or one of its files is not there.
            ModelMismatch: Made for another encoder, front end or set of features.
        """
        ear = cls(model_folder(model), encoder)
        if ear.card.get("non_commercial", False):
            _log.warning("ear model %s is for non-commercial use only (%s)", ear.name, ear.licence)
        return ear

    def score(self, window: SpeechWindow, reference: CallReference) -> WindowScore:
        """Scores one window. Blocking, thread-safe except for ``reference``, which belongs to one call."""
        analysis = analyse(window.samples)
        channel = measure_channel(window, analysis)
        reason = abstention(window, analysis, channel)
        measures = _measures(window, analysis, channel, reference)
        if reason:
            return WindowScore(
                start=window.start, end=window.end, measures=measures,
                arousal=None, p_distress=None, classes={}, abstained=True, reason=reason,
            )  # fmt: skip
        arousal, p_distress, classes = self.probabilities(analysis)
        return WindowScore(
            start=window.start, end=window.end, measures=measures,
            arousal=arousal, p_distress=p_distress, classes=classes, abstained=False, reason="",
            p_band=self.band(p_distress),
        )  # fmt: skip

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw outputs ``[n, 2 + classes]`` for rows of prosody and pooled states; for evaluation."""
        prosody, states = inputs[:, : len(NAMES)], inputs[:, len(NAMES) :]
        distress, arousal, classes = self._session.run(
            ["distress", "arousal", "classes"], {"prosody": prosody, "states": states}
        )
        return np.concatenate([distress[:, None], arousal[:, None], classes], axis=1)

    def probabilities(self, analysis: Analysis) -> tuple[float, float, dict[str, float]]:
        """(arousal, p_distress, classes) of an analysed window, whether or not it should be scored."""
        states = pool(self._encoder.encode(resample(analysis.band_samples, SAMPLE_RATE_HZ, ENCODER_RATE_HZ)))
        distress, arousal, classes = self._session.run(
            ["distress", "arousal", "classes"], {"prosody": analysis.vector[None], "states": states[None]}
        )
        share = _softmax(classes[0] / float(self._calibration["classes"]["temperature"]))
        return (
            _platt(float(arousal[0]), self._calibration["arousal"]),
            _platt(float(distress[0]), self._calibration["distress"]),
            {label: float(p) for label, p in zip(self.labels, share, strict=True)},
        )

    def band(self, p_distress: float) -> tuple[float, float] | None:
        """95 % interval of a calibrated probability, between the points of the card."""
        rows = self._calibration.get("distress_band")
        if not rows:
            return None
        p, low, high = np.asarray([[0.0, 0.0, 0.0], *rows, [1.0, 1.0, 1.0]], np.float64).T
        return float(np.interp(p_distress, p, low)), float(np.interp(p_distress, p, high))

    def threshold_for(self, rate_per_100_calls: float) -> float:
        """The detector's threshold for the operator's rate of false transfers, see `threshold_for`."""
        return threshold_for(self.card["detector"]["table"], rate_per_100_calls)


def threshold_for(table: list[dict[str, float]], rate_per_100_calls: float) -> float:
    """Lowest threshold of ``table`` whose measured rate of voice alarms keeps to the rate asked for.

    Args:
        table: Rows ``{threshold, per_100_calls, …}`` measured on development speakers.
        rate_per_100_calls: Calm calls (3 min, 90 s of caller speech) that may be taken for distress, per 100.

    Returns:
        A threshold [nat]; the table's highest if none is good enough.
    """
    rows = sorted(table, key=lambda row: row["threshold"])
    good = [row["threshold"] for row in rows if row["per_100_calls"] <= rate_per_100_calls]
    return float(good[0] if good else rows[-1]["threshold"])


def model_folder(model: str | Path) -> Path:
    """Folder of a shipped model, or the folder that was named."""
    return Path(__file__).parent / "models" / str(model) if str(model) in SHIPPED else Path(model)


def _read_card(folder: Path) -> tuple[dict[str, Any], str]:
    digest = hashlib.sha256()
    for name in ("model.yaml", "model.onnx"):
        if not (folder / name).is_file():
            raise ModelMissing(
                f"no {name} in {folder}: set ear.model to open, research or a folder with model.onnx and model.yaml"
            )
        digest.update((folder / name).read_bytes())
    try:
        card = yaml.safe_load((folder / "model.yaml").read_text("utf-8"))
    except yaml.YAMLError as exc:
        raise ModelMismatch(f"{folder}/model.yaml is not YAML: {str(exc).splitlines()[0]}") from exc
    missing = {"name", "licence", "inputs", "labels", "calibration", "detector", "encoder"} - set(card or {})
    if missing:
        raise ModelMismatch(f"{folder}/model.yaml lacks {', '.join(sorted(missing))}; train it again with make ear")
    return card, digest.hexdigest()[:12]


def _check(card: dict[str, Any], folder: Path, encoder: WhisperEncoder) -> None:
    front = card.get("front_end", {})
    if tuple(card["inputs"]["prosody"]) != NAMES:
        raise ModelMismatch(f"{folder} was made for other prosody features; train it again with make ear")
    if front != front_end_card():
        raise ModelMismatch(f"{folder} was made for another front end ({front}); train it again with make ear")
    if str(card["encoder"]["sha256"]) != encoder.digest:
        raise ModelMismatch(
            f"{folder} was made for another encoder ({card['encoder']['name']}, {str(card['encoder']['sha256'])[:12]}; "
            f"loaded is {encoder.digest[:12]}); train it again with make ear"
        )


def front_end_card() -> dict[str, Any]:
    """What ``model.yaml`` says of the way from telephone to inputs."""
    return {
        "sample_rate_hz": SAMPLE_RATE_HZ, "band_hz": list(BAND_HZ), "level_dbfs": LEVEL_DBFS, "padding": "none",
        "encoder_rate_hz": ENCODER_RATE_HZ, "encoder_frame_s": FRAME_S, "encoder_width": WIDTH,
        "pooling": "mean and standard deviation over time",
    }  # fmt: skip


def _measures(window: SpeechWindow, analysis: Analysis, channel: Channel, reference: CallReference) -> Measures:
    voiced = analysis.track.f0_hz[analysis.track.voiced]
    level = active_level_db(analysis.band_levels_db)
    enough = voiced.size >= 5
    low, high = np.percentile(voiced, [5, 95]) if enough else (1.0, 1.0)
    return Measures(
        f0_hz=float(np.median(voiced)) if enough else None,
        f0_range_st=float(12.0 * np.log2(high / low)) if enough else None,
        loudness_db=reference.relative_db(level) if level is not None and channel.snr_db is not None else None,
        rate_syl_s=analysis.rhythm.rate_syl_s,
        pause_ratio=window.pause_ratio,
        jitter_ratio=analysis.perturbation.jitter_ratio,
        shimmer_db=analysis.perturbation.shimmer_db,
        hnr_db=analysis.perturbation.hnr_db,
        snr_db=channel.snr_db,
    )


def _platt(logit: float, calibration: dict[str, float]) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(calibration["slope"] * logit + calibration["offset"], -30.0, 30.0))))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    raised = np.exp(logits - logits.max())
    return np.asarray(raised / raised.sum(), np.float32)
