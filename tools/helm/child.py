"""The process in which Helm's library is loaded: `python -m tools.helm.child QUESTION SECONDS`, which `render` starts.

The library is Go behind ctypes: what goes wrong inside it ends the process, and no Python code can stop it. So each
chart has an alarm whose default action ends us, memory has a limit, and each answer is a file of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas.manifest import Place
from tools.helm.staging import Stage, Staged, UnfitError

MEMORY = 4 * 1024**3  # bytes of address space, of which Go reserves far more than it uses
LARGEST = 4 * 1024 * 1024  # characters that one chart may render
WHERE = re.compile(r"(?P<file>[\w.-]+(?:/[\w.-]+)*/templates/[\w./-]+):(?P<line>\d+)(?::(?P<column>\d+))?")
AT = re.compile(r"(?<= at )<(.+?)>(?=: |:$)", re.MULTILINE)
CALLING = re.compile(r"error calling \w+: ")
LONGEST = 300  # characters of what Helm says
NOISE = re.compile(r"^(?:execution error at|parse error at) \([^)]*\): |^template: \S+?:\d+(?::\d+)?: ")


def main(question: Path, seconds: float) -> None:
    """Answer for each chart of the question in turn."""
    asked = json.loads(question.read_text(encoding="utf-8"))
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    sys.path.insert(0, asked["library"])
    helm = importlib.import_module("helm_python")
    work = Path(asked["work"])
    (work / "ready").touch()
    place = work / f"charts-{asked['begin']}"
    place.mkdir()
    stage = Stage(Path(asked["root"]), place, helm)
    for number, chart in enumerate(asked["charts"]):
        if number < asked["begin"]:
            continue
        signal.setitimer(signal.ITIMER_REAL, seconds)
        answer = _answer(helm, stage, chart)
        signal.setitimer(signal.ITIMER_REAL, 0)
        fresh = work / "answer.new"
        fresh.write_text(json.dumps(answer), encoding="utf-8")
        fresh.rename(work / f"answer-{number}.json")


def _limit(kind: int, most: int) -> None:
    """Have no more of something than that; where the system sets no such limit, or a lower one, that holds."""
    hard = resource.getrlimit(kind)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _answer(helm: Any, stage: Stage, chart: Mapping[str, Any]) -> dict[str, Any]:
    try:
        values: dict[str, Any] = {}
        for file in chart["values"]:
            values = _over(values, _values(helm, stage, file))
        for key, value in chart["sets"].items():
            for part in reversed(key.split(".")):
                value = {part: value}  # noqa: PLW2901 - built from the inside
            values = _over(values, value)
        staged = stage.chart(chart["folder"])
    except UnfitError as error:
        return {"error": str(error), "place": error.place}
    except helm.HelmError as error:
        return _refused(str(error), None)
    try:
        return _rendered(helm, staged, values, chart)
    except helm.HelmError as error:
        return _refused(str(error), staged)


def _rendered(helm: Any, staged: Staged, values: dict[str, Any], chart: Mapping[str, Any]) -> dict[str, Any]:
    with helm.Chart.load(staged.copy) as loaded:
        loaded.validate_schema(values)
        rendered = loaded.render(values, name=chart["release"], namespace=chart["namespace"])
    if sum(map(len, rendered.values())) > LARGEST:
        return {"error": f"it renders more than {LARGEST >> 20} MB", "place": Place(chart["folder"])}
    kept = {name: text for name, text in rendered.items() if name.endswith((".yaml", ".yml", ".json"))}
    return {
        "templates": {_place(staged, name): text for name, text in kept.items()},
        "sources": staged.sources,
    }


def _values(helm: Any, stage: Stage, file: str) -> dict[str, Any]:
    """The values of a file as Helm reads them."""
    try:
        values: dict[str, Any] = helm.values_from_yaml(stage.plain(file)) or {}
    except helm.HelmError as error:
        raise UnfitError(f"not values: {str(error)[-LONGEST:]}", Place(file)) from None
    return values


def _refused(message: str, staged: Staged | None) -> dict[str, Any]:
    """What Helm says, without its paths, and the innermost place in the monorepo that it names.

    Helm 4 tells a chain of calls in several lines, the cause in the last one.
    """
    places = list(_places(message, staged)) if staged else []
    said = (message.strip().splitlines() or ["Helm says nothing"])[-1].strip()
    said = CALLING.split(said)[-1]
    while noise := NOISE.match(said):
        said = said[noise.end() :]
    expressions = AT.findall(message)
    at = f"\nat <{expressions[-1][:LONGEST]}>" if expressions else ""
    return {"error": f"{said[-LONGEST:]}{at}", "place": places[-1] if places else None}


def _places(message: str, staged: Staged) -> Iterator[Place]:
    for found in WHERE.finditer(message):
        yield Place(_place(staged, found["file"]), int(found["line"]), int(found["column"] or 0) + 1)


def _place(staged: Staged, name: str) -> str:
    """Where in the monorepo a file is that Helm calls CHART/templates/FILE or CHART/charts/OTHER/templates/FILE."""
    below = name.removeprefix(f"{staged.name}/")
    for folder in sorted(staged.folders, key=len, reverse=True):
        if below.startswith(f"{folder}/" if folder else ""):
            return f"{staged.folders[folder]}/{below[len(folder) :].lstrip('/')}"
    return name


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Values laid over others as Helm does with values files: mappings are merged, all else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _over(merged[key], value) if both else value
    return merged


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
