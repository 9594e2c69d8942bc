"""One log: structlog to stderr, with pipecat's loguru and the standard library joined in.

What callers say never goes into a log line; call ids do.
"""

from __future__ import annotations

import logging
import os
import sys

import structlog


def to_stderr() -> None:
    """Sets the process's logging up. ``WARMLINE_LOG`` = debug | info | warning (default info)."""
    level = getattr(logging, os.environ.get("WARMLINE_LOG", "info").upper(), logging.INFO)
    render = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s", force=True)


def join_loguru() -> None:
    """Pipecat logs through loguru; keep its warnings, in our log. Called by the worker, which loads pipecat."""
    from loguru import logger

    logger.remove()
    log = structlog.get_logger("pipecat")
    logger.add(lambda message: log.warning(message.record["message"]), level="WARNING", format="{message}")
