"""Asks a child process to render charts, and goes on with the next where one took it down."""

from __future__ import annotations

import json
import re
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from schemas.errors import ToolError, ToolTimeout
from schemas.manifest import Manifest, Place, Unreadable, manifests
from tools import shell, toolchain
from tools.toolchain.store import Say

__all__ = ["Chart", "Rendering", "render"]

SECONDS = 10  # for one chart; a usual one takes some thousandths
START = 60  # seconds more for a whole child: a cold disk reads 80 MB first
OFFLINE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
DEFINED = re.compile(r"\{\{-?\s*define\s+\"([^\"]+)\"")
INCLUDED = re.compile(r"(?:include|template)\s+\"([^\"]+)\"")
TODO = "put the chart right; doit lint renders it again"


class Chart(NamedTuple):
    """A chart to be rendered as Argo CD would do it; all paths are relative to the monorepo's root."""

    folder: str
    values: tuple[str, ...]  # files, the later over the earlier
    sets: Mapping[str, Any]  # dotted keys, over all files
    release: str
    namespace: str


class Rendering(NamedTuple):
    """What came out of a chart: its objects, and files that are no YAML; or why nothing did."""

    chart: Chart
    manifests: tuple[Manifest, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    error: ToolError | None = None


def render(root: Path, charts: Sequence[Chart], say: Say) -> tuple[Rendering, ...]:
    """Render each chart; one that cannot be has its error, and does not keep the others from it.

    Dependencies are taken from ``charts/`` or by ``file://`` from the monorepo, as `helm dependency build` does.
    Raises ToolError when Helm cannot be installed or does not start.
    """
    if not charts:
        return ()
    library = toolchain.helm(say)
    with tempfile.TemporaryDirectory(prefix="gander-helm-") as folder:
        work = Path(folder)
        answers: dict[int, dict[str, Any]] = {}
        while len(answers) < len(charts):
            answers |= _child(root, charts, work, library, begin=len(answers))
    return tuple(_rendering(chart, answers[number]) for number, chart in enumerate(charts))


def _child(root: Path, charts: Sequence[Chart], work: Path, library: Path, *, begin: int) -> dict[int, dict[str, Any]]:
    """The answers of one child from a chart on; the last may be that it ended there."""
    asked = [chart._asdict() for chart in charts]
    question = {"library": str(library), "root": str(root), "work": str(work), "begin": begin, "charts": asked}
    (work / "question.json").write_text(json.dumps(question), encoding="utf-8")
    try:
        done = shell.run(
            [sys.executable, "-I", "-m", "tools.helm.child", work / "question.json", str(SECONDS)],
            environment={**shell.inherited(), **OFFLINE, "HOME": str(work)},
            timeout=START + SECONDS * (len(charts) - begin),
            bound_to_us=True,
        )
    except ToolTimeout:
        done = shell.Finished(code=-signal.SIGALRM, out="", err="", seconds=0)
    answers = dict(_answers(work, begin))
    if not (work / "ready").exists():
        raise ToolError("Helm does not start", why=_end(done), todo="./run doit doctor")
    following = begin + len(answers)
    if following < len(charts):
        answers[following] = {"error": _end(done)}
    return answers


def _answers(work: Path, number: int) -> Iterator[tuple[int, dict[str, Any]]]:
    while (file := work / f"answer-{number}.json").exists():
        yield number, json.loads(file.read_text(encoding="utf-8"))
        number += 1


def _end(done: shell.Finished) -> str:
    """How a child ended that should not have."""
    if done.code == -signal.SIGALRM:
        return f"rendering took more than {SECONDS} s and was stopped"
    if "out of memory" in done.err or "cannot allocate memory" in done.err or done.code == -signal.SIGKILL:
        return "rendering took more memory than it may have and was stopped"
    said = [line for line in done.err.splitlines() if line.strip()]
    return f"Helm ended with exit code {done.code}\n" + "\n".join(said[-3:])


def _rendering(chart: Chart, answer: Mapping[str, Any]) -> Rendering:
    if "error" in answer:
        first, _, rest = str(answer["error"]).partition("\n")
        where = str(Place(*answer["place"])) if answer.get("place") else chart.folder
        error = ToolError(f"the chart does not render: {shell.redact(first)}", where=where, why=rest, todo=TODO)
        return Rendering(chart, error=error)
    found: list[Manifest] = []
    unreadable: list[Unreadable] = []
    sources: dict[str, str] = answer["sources"]
    for file, content in sorted(answer["templates"].items()):
        for one in manifests(content, file, tuple(_written(file, sources))):
            if isinstance(one, Manifest):
                found.append(one)
            else:
                unreadable.append(one)
    return Rendering(chart, tuple(found), tuple(unreadable))


def _written(file: str, sources: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The files whose lines a rendered template may hold: itself, and what it includes by name, one after the other."""
    defined = {name: path for path, text in sorted(sources.items()) for name in DEFINED.findall(text)}
    waiting = [file] if file in sources else []
    seen = set(waiting)
    for path in waiting:
        yield path, sources[path]
        for name in INCLUDED.findall(sources[path]):
            if name in defined and defined[name] not in seen:
                seen.add(defined[name])
                waiting.append(defined[name])
