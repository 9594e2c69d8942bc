"""Simulated calls in figures: false alarms per hour, delay, misses, as the shipped model would decide.

Hears from: corpora, calls, the card of the shipped model. Tells: figures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prosody.detector import DetectorParameters
from prosody.emotion import threshold_for
from prosody.evaluation.calls import Voice, simulate, voices
from prosody.evaluation.figure import Figure, figure
from prosody.training.fit import Platt
from prosody.training.ship import DEFAULT_RATE
from prosody.training.table import Table


def policy(card: dict[str, Any]) -> tuple[Platt, DetectorParameters]:
    """Calibration and detector of a ``model.yaml``, at the threshold an operator who changes nothing gets."""
    shipped = DetectorParameters(**card["detector"]["parameters"])
    threshold = threshold_for(card["detector"]["table"], DEFAULT_RATE)
    return Platt(**card["calibration"]["distress"]), replace(shipped, threshold=threshold)


def figures(model: str, table: Table, logits: NDArray[np.float32], card: dict[str, Any], seed: int) -> list[Figure]:
    """Every corpus at one common threshold, which was chosen on speakers of train and dev; test speakers once more.

    Args:
        model: Name in front of each figure.
        table: Windows, one row each.
        logits: ``[n]`` distress logits of models that saw nothing of the row's corpus.
        card: ``model.yaml`` of the shipped weights: calibration, detector and threshold are taken as they are.
        seed: Of the simulation.
    """
    platt, parameters = policy(card)
    probability = platt.probability(logits)
    out = [
        figure(f"{model}/calls_threshold", parameters.threshold, unit="nat"),
        figure(f"{model}/calls_drift", parameters.drift, unit="nat"),
    ]
    for corpus in sorted(set(table.corpus.tolist())):
        here = ~table.abstained & (table.corpus == corpus)
        people = _voices(table, probability, here)
        out += _rows(model, corpus, people, parameters, seed, strict=model == "research")
        unseen = _voices(table, probability, here & (table.split == "test"))
        out += _rows(model, f"{corpus}_test_speakers", unseen, parameters, seed, strict=False)
    return out


def _voices(table: Table, probability: NDArray[np.float64], rows: NDArray[np.bool_]) -> list[Voice]:
    return voices(probability[rows], table.clip[rows], table.speaker[rows], table.sex[rows], table.emotion[rows])


def _rows(
    model: str, label: str, people: list[Voice], parameters: DetectorParameters, seed: int, *, strict: bool
) -> list[Figure]:
    if not people:
        return []
    found = simulate(people, parameters, seed=seed)
    rates = np.asarray(list(found.false_per_hour.values()))

    def row(what: str, value: float, unit: str = "", goal: str | None = None, n: int = len(people)) -> Figure:
        return figure(f"{model}/calls_{what}_{label}", value, unit=unit, n=n, target=goal if strict else None)

    out = [
        row("false_alarms_mean", float(rates.mean()), "1/h", "<= 1"),
        row("false_alarms_median", float(np.median(rates)), "1/h"),
        row("false_alarms_worst_speaker", float(rates.max()), "1/h", "<= 8"),
        row("delay_median", found.delay_s, "s", "<= 8"),
        row("missed", found.missed, "", "<= 0.1"),
        row("missed_worst_speaker", max(found.missed_by_speaker.values(), default=float("nan"))),
    ]
    for sex in ("f", "m"):
        some = [v.speaker for v in people if v.sex == sex]
        if some:
            missed = [found.missed_by_speaker[s] for s in some if s in found.missed_by_speaker]
            out.append(row(f"false_alarms_mean_{sex}", float(np.mean([found.false_per_hour[s] for s in some])), "1/h"))
            out.append(row(f"missed_{sex}", float(np.mean(missed)) if missed else float("nan"), n=len(some)))
    return out
