"""Charts, rendered by Helm itself: without a network, within limits, and in a process that may crash or hang alone."""

from __future__ import annotations

from tools.helm.rendering import Chart, Rendering, render

__all__ = ["Chart", "Rendering", "render"]
