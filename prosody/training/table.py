"""Windows of many corpora beside what is known of them, and how much each counts.

Hears from: extraction, corpora. Tells: fit, evaluation.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from prosody.encoder import WhisperEncoder
from prosody.training.corpora import CLASSES, Clip
from prosody.training.extraction import Windows, augmented, extract

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One row per window; every field ``[n]`` unless said.

    Attributes:
        inputs: ``[n, inputs]``.
        clip: Clip id, ``corpus:index``.
        five: Index into `CLASSES`, -1 where the label is none of them.
        distress: 0, 1, or -1 unlabelled.
        arousal: 0..1, NaN unlabelled.
        matched: The plain telephone copy; the others are for training only.
        abstained: The ear would not score this window.
    """

    inputs: NDArray[np.float32]
    clip: NDArray[np.str_]
    corpus: NDArray[np.str_]
    speaker: NDArray[np.str_]
    sex: NDArray[np.str_]
    age: NDArray[np.str_]
    language: NDArray[np.str_]
    emotion: NDArray[np.str_]
    split: NDArray[np.str_]
    five: NDArray[np.intp]
    distress: NDArray[np.intp]
    arousal: NDArray[np.float64]
    matched: Mask
    abstained: Mask

    def where(self, mask: Mask) -> Table:
        return Table(**{f.name: getattr(self, f.name)[mask] for f in fields(self)})

    def __len__(self) -> int:
        return len(self.clip)


def rows(clips: list[Clip], windows: Windows, *, matched: bool) -> Table:
    """The windows of one copy of one corpus."""
    of = [clips[i] for i in windows.clip.tolist()]
    count = len(of)
    return Table(
        inputs=windows.inputs,
        clip=np.asarray([f"{c.corpus}:{i}" for c, i in zip(of, windows.clip.tolist(), strict=True)]),
        corpus=np.asarray([c.corpus for c in of]),
        speaker=np.asarray([c.speaker for c in of]),
        sex=np.asarray([c.sex for c in of]),
        age=np.asarray([c.age for c in of]),
        language=np.asarray([c.language for c in of]),
        emotion=np.asarray([c.emotion for c in of]),
        split=np.asarray([c.split for c in of]),
        five=np.asarray([-1 if c.five is None else CLASSES.index(c.five) for c in of], np.intp),
        distress=np.asarray([-1 if c.distress is None else c.distress for c in of], np.intp),
        arousal=np.asarray([np.nan if c.arousal is None else c.arousal for c in of]),
        matched=np.full(count, matched),
        abstained=windows.abstained,
    )


def join(tables: list[Table]) -> Table:
    return Table(**{f.name: np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(Table)})


def build(
    corpora: dict[str, list[Clip]],
    encoder: WhisperEncoder,
    *,
    copies: int,
    free_only: bool,
    report: Callable[[str], None] = print,
) -> Table:
    """Every corpus once through the plain telephone and ``copies`` times through random lines."""
    tables = []
    for name, clips in corpora.items():
        tables.append(rows(clips, extract(f"matched-{name}", clips, encoder, report=report), matched=True))
        for copy in range(copies):
            label, line, seed = augmented(copy)
            windows = extract(
                f"{label}-{name}", clips, encoder, line=line, seed=seed, free_only=free_only, report=report
            )
            tables.append(rows(clips, windows, matched=False))
    return join(tables)


def weights(table: Table) -> NDArray[np.float64]:
    """Every corpus counts the same, in it every speaker, and of a speaker every emotion; mean 1.

    Otherwise the largest corpus, the talkative and the commonest emotion decide (speakers of nEMO: 480 clips each, of
    EmoDB 55).
    """
    keys = list(zip(table.corpus.tolist(), table.speaker.tolist(), table.emotion.tolist(), strict=True))
    count = Counter(keys)
    weight = np.asarray([1.0 / count[k] for k in keys])
    for depth in (2, 1):
        total: dict[tuple[str, ...], float] = defaultdict(float)
        for key, w in zip(keys, weight.tolist(), strict=True):
            total[key[:depth]] += w
        weight = np.asarray([w / total[k[:depth]] for k, w in zip(keys, weight.tolist(), strict=True)])
    return np.asarray(weight / weight.mean())


def folds(table: Table, count: int) -> NDArray[np.intp]:
    """Fold of each window: speakers dealt out in turn, corpus by corpus, sex by sex."""
    fold: dict[str, int] = {}
    for corpus in sorted(set(table.corpus.tolist())):
        here = table.corpus == corpus
        people = sorted({(x, s) for x, s in zip(table.sex[here].tolist(), table.speaker[here].tolist(), strict=True)})
        for index, (_, speaker) in enumerate(people):
            fold[speaker] = index % count
    return np.asarray([fold[s] for s in table.speaker.tolist()], np.intp)
