"""Whether one more call can be served: lines, calls just begun, and how far the agent lags. Pure.

A call's load shows only once its caller speaks, so calls in set-up count beside the lag that is measured: an idle agent
takes `SETTING_UP_MOST` at once, one that lags half as much as it may takes half as many, and beyond `LAG_MOST_S` nobody
is let in until it has caught up. A caller who gets 486 can be sent elsewhere by the trunk; one who is let in is served.

Hears from: `telephony.switchboard`. Tells: the same, a cause of refusal.
"""

from __future__ import annotations

LAG_MOST_S = 0.25
"""Urgent work (recognition, first words) waits so long on the average of `LAG_OVER_S`: answers are late by as much."""
LAG_OVER_S = 10.0
SET_UP_S = 10.0
"""From the INVITE until a caller's first words, disclosure and greeting."""
SETTING_UP_MOST = 16


def refusal(*, calls: int, setting_up: int, most: int, lag_s: float) -> str:
    """Why one more call is refused; empty = it is not. ``most``: ``sip.max_calls``; ``lag_s``: of the best worker."""
    if calls >= most:
        return "all lines busy"
    room = SETTING_UP_MOST * (1.0 - lag_s / LAG_MOST_S)
    return "agent busy" if setting_up >= room else ""


def smoothed(lag_s: float, now_s: float, since_s: float) -> float:
    """Running mean of a worker's lag: ``now_s`` is what it says, ``since_s`` the time since it last said something."""
    return lag_s + (now_s - lag_s) * min(1.0, since_s / LAG_OVER_S)
