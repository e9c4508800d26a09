"""doit as it is typed, with waits that are short and, where a clock is given, as if this machine's were that far off.

python -m tests.hurried 0 sync:shop@dev
python -m tests.hurried -3600 verify:shop@dev
"""

from __future__ import annotations

import datetime as dt
import runpy
import sys
import time

import psycopg  # it is compiled against the real class of times

REAL = time.time
assert psycopg
PATIENCE = 3.0  # seconds for an answer of Argo CD


def _skewed(seconds: float) -> None:
    """Have every later import see another time of day."""

    class Skewed(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Skewed:
            return cls.fromtimestamp(REAL() + seconds, tz)

    dt.datetime = Skewed  # type: ignore[misc]
    time.time = lambda: REAL() + seconds


def _hurried() -> None:
    from tasks.sync import follow, run, watch  # noqa: PLC0415 - they are to see the clock as it is now
    from tools import patience  # noqa: PLC0415
    from tools.argocd import door  # noqa: PLC0415

    watch.GLANCE = 0.05
    run.SILENCE = 5.0
    for name in ("STUCK", "UNSCHEDULED", "PICKUP", "SETTLE"):
        setattr(follow, name, 0.5)
    patience.AWAY = 0.0  # one Argo CD has many Applications here, each with a fault of its own
    patience.Patience._delay = lambda *_: 0.0  # type: ignore[method-assign]
    defaults = door.Door.__init__.__kwdefaults__
    assert defaults
    defaults["patience"] = PATIENCE


if __name__ == "__main__":
    skew, *words = sys.argv[1:]
    if float(skew):
        _skewed(float(skew))
    _hurried()
    sys.argv = ["doit", *words]
    runpy.run_module("doit", run_name="__main__", alter_sys=False)
