"""What the processes of a cluster tell whoever started them: a line of JSON each."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

__all__ = ["say", "tell"]


def tell(fact: Mapping[str, Any]) -> None:
    """Tell a fact: ``say`` (how far it is), ``ready`` (how to reach it), or ``failed``. The listener may be gone."""
    with suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(fact) + "\n")
        sys.stdout.flush()


def say(line: str) -> None:
    """Tell how far it is."""
    tell({"say": line})
