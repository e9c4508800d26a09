"""What `doit` can do: the steps of the road in their order, the operations beside it, and the variables they take."""

from __future__ import annotations

from pipelines.contents import Contents
from pipelines.operations import OPERATIONS
from pipelines.steps import STEPS
from pipelines.variables import VARIABLES

CONTENTS = Contents(
    steps=STEPS,
    operations=OPERATIONS,
    groups={"check": ("lint", "test", "migrate", "prisma"), "deploy": ("promote", "sync", "verify")},
    default="check",
    variables=VARIABLES,
)
