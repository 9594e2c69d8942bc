"""Is it up, is it ready for calls, and figures for Prometheus.

The gateway writes ``gateway.json`` every second and every process its ``metrics/*.prom``; this server passes them on.

Hears from: files in the store. Tells: supervisors and Prometheus.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from voice import __version__
from voice.qa.context import Web, web_of
from voice.qa.problems import Problem
from voice.store import schema
from voice.store.index import Index

router = APIRouter()

STALE_S = 5.0
"""The gateway writes every second; five missed writes are a stopped gateway, not a busy disk."""

Context = Annotated[Web, Depends(web_of)]


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """This server answers."""
    return {"status": "ok", "version": __version__}


@router.get("/readyz")
def readyz(web: Context) -> dict[str, Any]:
    """The gateway is running and can take a call."""
    gateway, age_s = gateway_state(web.settings.store.dir)
    if not gateway:
        raise Problem(503, "no gateway has written to this store")
    if age_s > STALE_S:
        raise Problem(503, f"the gateway last wrote {age_s:.0f} s ago")
    if not gateway.get("ready"):
        raise Problem(503, f"no calls are taken: sip {gateway.get('sip')!r}, workers {gateway.get('workers')!r}")
    return {"status": "ready", "gateway": gateway}


def gateway_state(store: Path) -> tuple[dict[str, Any], float]:
    """``gateway.json`` and its age [s]."""
    try:
        state = json.loads((store / "gateway.json").read_bytes())
    except (OSError, ValueError):
        return {}, float("inf")
    return (state, time.time() - _epoch_s(state.get("at"))) if isinstance(state, dict) else ({}, float("inf"))


def _epoch_s(at: object) -> float:
    if isinstance(at, (int, float)):
        return float(at)
    try:
        return datetime.fromisoformat(str(at)).timestamp()
    except ValueError:
        return float("-inf")


@router.get("/metrics")
def metrics(web: Context) -> Response:
    """Every process's figures in one exposition, each told apart by the label ``part``."""
    registry = CollectorRegistry()
    registry.register(_Parts(web.settings.store.dir / "metrics"))
    registry.register(_Store(web.index))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Parts(Collector):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for path in sorted(self._folder.glob("*.prom")):
            try:
                parsed = list(text_string_to_metric_families(path.read_text("utf-8")))
            except (OSError, ValueError):
                # caught in the middle of a write, or foreign: the other parts still count
                continue
            for family in parsed:
                merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                merged.samples += [s._replace(labels={**s.labels, "part": path.stem}) for s in family.samples]
        yield from families.values()


class _Store(Collector):
    def __init__(self, index: Index) -> None:
        self._index = index

    def collect(self) -> Iterator[Metric]:
        c = schema.calls.c
        family = GaugeMetricFamily(
            "warmline_store_calls", "Calls in the store by ending and peak distress.", labels=("ending", "level")
        )
        with self._index.engine.connect() as connection:
            counts = sa.select(c.ending, c.peak_level, sa.func.count()).group_by(c.ending, c.peak_level)
            for ending, level, n in connection.execute(counts):
                family.add_metric((ending or "open", level), n)
        yield family
