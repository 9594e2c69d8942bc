"""From what reviewers marked on the page to an ear that a worker can load."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr

from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from telephony.settings import Settings
from tests.browser import make_call
from voice.engines.pool import EnginePool
from voice.errors import UserError
from voice.evaluation.figures import calibrate
from voice.scoring import Engines, score_file
from voice.store import corrections, reviews
from voice.store.index import Index

CLIPS = sorted((Path(__file__).parents[3] / "data" / "emodb").glob("*.flac"))
CALL, CLIP_S = "20261124-091203-4f2a9c", 2.0


def reviewed(store: Path, index: Index, count: int) -> Path:
    """A call of ``count`` clips end to end, each marked as the actor meant it, one in four the other way round."""
    m = make_call.Maker(store=store, call_id=CALL, length_s=CLIP_S * count)
    folder = m.write()
    sound, ranges = [], []
    for n in range(count):
        path = CLIPS[n % len(CLIPS)]
        samples, rate_hz = sf.read(path)
        sound.append(soxr.resample(samples, rate_hz, 8000)[: int(8000 * CLIP_S)])
        angry = path.stem[5] == "W"
        level = "distress" if angry == (n // len(CLIPS) % 4 > 0) else "calm"
        ranges.append(reviews.Range(start=CLIP_S * n, end=CLIP_S * (n + 1), kind="distress", level=level))  # type: ignore[arg-type]
    caller = np.concatenate(sound)
    sf.write(folder / "caller.flac", np.stack([caller, np.zeros_like(caller)], 1), 8000)
    index.scan()
    reviews.add(index, CALL, reviews.Review(reviewer="mara", verdict="mixed", ranges=tuple(ranges)), {})
    with (store / "corrections.zip").open("wb") as out:
        assert corrections.write_zip(index, out) == count
    with zipfile.ZipFile(store / "corrections.zip") as archive:
        archive.extractall(store / "snippets-of-reviews")
    return store / "snippets-of-reviews" / "labels.csv"


def test_sixty_four_marked_ranges_become_an_ear_of_ones_own(store: Path, index: Index) -> None:
    labels, out = reviewed(store, index, 64), store / "my-ear"
    assert "64 snippets" in calibrate(labels, "open", out)
    encoder = WhisperEncoder.load()
    shipped, own = Ear.load("open", encoder), Ear.load(out, encoder)
    assert own.version != shipped.version
    low, high = own.band(0.5) or (1.0, 0.0)
    assert low < 0.5 < high, "the interval is that of the snippets"
    pool = EnginePool()
    try:
        settings = Settings(ear={"model": str(out)})  # type: ignore[arg-type]
        heard = score_file(CLIPS[0], settings, Engines.load(settings, pool)).facts
    finally:
        pool.close()
    models = {s.fact.model for s in heard if hasattr(s.fact, "p_distress")}
    assert models == {f"open-calibrated:{own.version[:12]}"}


def test_too_few_marked_ranges_are_told_with_what_is_needed(store: Path, index: Index) -> None:
    with pytest.raises(UserError, match="20 snippets the ear can score, 10 of distress; 60 are needed, 10 of each"):
        calibrate(reviewed(store, index, 20), "open", store / "my-ear")
    assert not (store / "my-ear").exists()
