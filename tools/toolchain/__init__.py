"""The programs that we drive: found on this machine or installed from lock files, each when first needed."""

from __future__ import annotations

from tools.toolchain.chdb import clickhouse
from tools.toolchain.embedded import postgres
from tools.toolchain.golang import go, goose
from tools.toolchain.helm import helm, pinned_helm
from tools.toolchain.inventory import Program, programs, versions
from tools.toolchain.javascript import node, npm
from tools.toolchain.prisma import pinned_prisma, pinned_studio, prisma, studio

__all__ = [
    "Program",
    "clickhouse",
    "go",
    "goose",
    "helm",
    "node",
    "npm",
    "pinned_helm",
    "pinned_prisma",
    "pinned_studio",
    "postgres",
    "prisma",
    "programs",
    "studio",
    "versions",
]
