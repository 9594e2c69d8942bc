"""Figures of the gateway for Prometheus, as a text file in the store: the web page's ``/metrics`` adds them to its own.

Hears from: the gateway. Tells: ``<store>/metrics/gateway.prom``.
"""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, write_to_textfile

from telephony.facts import CallEnded, HandoffState, TurnTimed, WorkerLost
from telephony.messages import Stamped

DRIFT_MS = (1, 2, 5, 10, 20, 50, 100, 500)
STAGE_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.5)


class Metrics:
    """Names carry no caller and no number: labels are endings, outcomes, causes and names of targets only."""

    def __init__(self, store: Path) -> None:
        self._path = store / "metrics" / "gateway.prom"
        self.registry = CollectorRegistry()
        r = self.registry
        self.calls_active = Gauge("warmline_calls_active", "Calls that are up", registry=r)
        self.workers = Gauge("warmline_workers", "Workers that are alive", registry=r)
        self.callers_in_line = Gauge("warmline_callers_in_line", "Callers waiting for a human who is taken", registry=r)
        self.human_available = Gauge("warmline_human_available", "A human would be rung now", ["target"], registry=r)
        self.calls_total = Counter("warmline_calls", "Calls by ending", ["ending"], registry=r)
        self.refused_total = Counter("warmline_calls_refused", "Calls refused", ["cause"], registry=r)
        self.handoff_total = Counter("warmline_handoff", "Attempts to reach a human", ["outcome"], registry=r)
        self.worker_lost_total = Counter("warmline_worker_lost", "Calls that lost their worker", registry=r)
        self.recovered_total = Counter("warmline_recovered", "Call folders finished by recovery", registry=r)
        self.agent_lag_s = Gauge(
            "warmline_agent_lag_seconds", "How long urgent work waits at the worker that lags least", registry=r
        )
        self.beat_late_ms = Gauge(
            "warmline_beat_late_ms", "Largest lateness of the media beat, last second", registry=r
        )
        self.recording_drift_ms = Histogram(
            "warmline_recording_drift_ms", "Call time against the monotonic clock at the end of a call",
            buckets=DRIFT_MS, registry=r,
        )  # fmt: skip
        self.answer_s = Histogram(
            "warmline_answer_seconds", "End of the caller's speech to the first sound of the answer",
            buckets=STAGE_S, registry=r,
        )  # fmt: skip
        self.answer_stage_s = Histogram(
            "warmline_answer_stage_seconds", "The same by stage; the stages of a turn add up to it", ["stage"],
            buckets=STAGE_S, registry=r,
        )  # fmt: skip

    def fact(self, stamped: Stamped) -> None:
        match stamped.fact:
            case CallEnded(ending=ending):
                self.calls_total.labels(ending).inc()
            case HandoffState(outcome=outcome) if outcome:
                self.handoff_total.labels(outcome).inc()
            case TurnTimed(stages_ms=stages_ms, total_ms=total_ms):
                self.answer_s.observe(total_ms / 1000)
                for stage, ms in stages_ms.items():
                    self.answer_stage_s.labels(stage).observe(ms / 1000)
            case WorkerLost():
                self.worker_lost_total.inc()
            case _:
                pass

    def write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(self._path), self.registry)
