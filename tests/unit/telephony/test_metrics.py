"""What the gateway tells Prometheus about the turns of its calls."""

from __future__ import annotations

from pathlib import Path

from telephony.facts import TurnTimed
from telephony.messages import Stamped
from telephony.metrics import Metrics


def test_every_stage_of_a_turn_is_a_histogram_and_they_add_up(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    for n, (wait_ms, link_ms) in enumerate(((250.0, 12.0), (600.0, 20.0))):
        stages = {"vad_wait": wait_ms, "link": link_ms}
        timed = TurnTimed(turn=n, stages_ms=stages, total_ms=wait_ms + link_ms)
        metrics.fact(Stamped(seq=n, t=float(n), fact=timed))
    value = metrics.registry.get_sample_value
    assert value("warmline_answer_seconds_sum") == 0.882
    by_stage = [value("warmline_answer_stage_seconds_sum", {"stage": s}) for s in ("vad_wait", "link")]
    assert sum(x or 0.0 for x in by_stage) == 0.882
    assert value("warmline_answer_stage_seconds_bucket", {"stage": "vad_wait", "le": "0.3"}) == 1
    metrics.write()
    assert "warmline_answer_stage_seconds_bucket" in (tmp_path / "metrics" / "gateway.prom").read_text()
