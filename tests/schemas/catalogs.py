"""A services.yaml with the folders that it names, for the tests of how it is loaded."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import yaml

HERE = Path(__file__).parent
WHOLE = HERE / "cases" / "whole.services.yaml"
PROJECT = HERE.parents[1]


def made(folder: Path, text: str) -> Path:
    """Write services.yaml and the folder of each service that it names."""
    file = folder / "services.yaml"
    file.write_text(dedent(text))
    for name, service in yaml.safe_load(file.read_text())["services"].items():
        (folder / service.get("folder", f"services/{name}")).mkdir(parents=True, exist_ok=True)
    return file
