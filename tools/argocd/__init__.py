"""Argo CD, through its REST API."""

from __future__ import annotations

from tools.argocd.login import Login, login
from tools.argocd.server import Log, Server

__all__ = ["Log", "Login", "Server", "login"]
