"""Simulated calls in figures: false alarms per hour, delay, misses, at one common threshold.

Hears from: corpora, calls. Tells: figures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prosody.evaluation.calls import simulate, voices
from prosody.evaluation.figure import Figure, figure
from prosody.training.fit import Platt
from prosody.training.ship import detector
from prosody.training.table import Table


def figures(model: str, table: Table, logits: NDArray[np.float32], platt: Platt, seed: int) -> list[Figure]:
    """One threshold from train and dev speakers of corpora left out, then every corpus' test speakers and all speakers.

    Args:
        model: Name in front of each figure.
        table: Windows, one row each.
        logits: ``[n]`` distress logits of models that saw nothing of the row's corpus.
        platt: Calibration fitted where the corpus was known.
        seed: Of the simulation.
    """
    use = ~table.abstained
    p = platt.probability(logits)
    dev = table.split != "test"
    parameters, _ = detector(table.where(dev), logits[dev], platt, seed)
    known = len(set(table.speaker[dev].tolist()))
    out = [
        figure(f"{model}/calls_threshold", parameters.threshold, unit="nat", n=known),
        figure(f"{model}/calls_drift", parameters.drift, unit="nat", n=known),
    ]
    strict = model == "research"
    for corpus in sorted(set(table.corpus.tolist())):
        here = use & (table.corpus == corpus)
        mine = voices(p[here], table.clip[here], table.speaker[here], table.sex[here], table.emotion[here])
        found = simulate(mine, parameters, seed=seed)
        rates = np.asarray(list(found.false_per_hour.values()))

        def row(what: str, value: float, unit: str, goal: str | None, n: int, corpus: str = corpus) -> Figure:
            return figure(f"{model}/calls_{what}_{corpus}", value, unit=unit, n=n, target=goal if strict else None)

        out += [
            row("false_alarms_mean", float(rates.mean()), "1/h", "<= 1", len(mine)),
            row("false_alarms_median", float(np.median(rates)), "1/h", None, len(mine)),
            row("false_alarms_worst_speaker", float(rates.max()), "1/h", "<= 8", len(mine)),
            row("delay_median", found.delay_s, "s", "<= 8", len(mine)),
            row("missed", found.missed, "", "<= 0.1", len(mine)),
        ]
        for sex in ("f", "m"):
            some = [v.speaker for v in mine if v.sex == sex]
            if some:
                mean = float(np.mean([found.false_per_hour[s] for s in some]))
                lost = float(np.mean([found.missed_by_speaker.get(s, np.nan) for s in some]))
                out.append(row(f"false_alarms_mean_{sex}", mean, "1/h", None, len(some)))
                out.append(row(f"missed_{sex}", lost, "", None, len(some)))
    return out
