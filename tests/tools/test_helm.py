"""Charts are rendered by Helm as Argo CD would; what is hostile or broken in one is its own error, and in time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ToolError
from tools import toolchain
from tools.helm import Chart, Rendering, render
from tools.helm import rendering as rendering_module

Plant = Callable[..., None]
SHOWN = "kind: ConfigMap\nmetadata: {name: shown}\ndata: {{ .Values | toJson }}\n"
NESTED = "rendering template has a nested reference name: a: unable to execute template"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{below}: &{below} [{', '.join([f'*{above}'] * 10)}]\n" for above, below in zip("abcdef", "bcdefg", strict=True)
)


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Writes a chart of the monorepo at tmp_path: its template, and files by their path in the chart."""

    def write(name: str, template: str = SHOWN, *, head: str = "", **files: str) -> None:
        given = {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n{head}", "templates/x.yaml": template}
        for path, text in {**given, **files}.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(text)

    return write


def one(root: Path, name: str, *values: str, sets: Mapping[str, Any] | None = None) -> Rendering:
    (rendering,) = render(root, [Chart(name, values, sets or {}, name, "there")], lambda _: None)
    return rendering


def every(root: Path, name: str, many: int, *values: str) -> tuple[Rendering, ...]:
    """What comes of the charts name0, name1, …, each with its own values files."""
    charts = [
        Chart(f"{name}{number}", tuple(f"{name}{number}/{file}" for file in values), {}, name, "there")
        for number in range(many)
    ]
    return render(root, charts, lambda _: None)


def data(rendering: Rendering) -> Any:
    assert rendering.error is None
    assert rendering.unreadable == ()
    return rendering.manifests[0].get("data")


def refused(rendering: Rendering) -> str:
    assert rendering.manifests == ()
    assert rendering.error
    assert rendering.error.todo
    return f"{rendering.error.where}: {rendering.error.what}\n{rendering.error.why}".strip()


def test_later_values_lie_over_earlier_ones_and_set_ones_over_all(tmp_path: Path, plant: Plant) -> None:
    plant(
        "shop",
        **{
            "values.yaml": "a: {x: 1, w: 1, list: [1, 2]}\ngone: 1\n",
            "one.yaml": "a: {x: 2, z: 2, list: [3]}\n",
            "two.yaml": "a: {z: 3}\ngone: null\nword: on\n",
        },
    )
    rendering = one(tmp_path, "shop", "shop/one.yaml", "shop/two.yaml", sets={"a.w": 4, "new.deep": "x@sha256:1"})
    expected = {"a": {"x": 2, "w": 4, "z": 3, "list": [3]}, "new": {"deep": "x@sha256:1"}}
    found = data(rendering)
    assert found.pop("word") in {True, "on"}
    assert found == expected


def test_release_and_namespace_are_those_that_were_asked_for(tmp_path: Path, plant: Plant) -> None:
    plant("shop", "kind: A\ndata: {r: {{ .Release.Name }}, n: {{ .Release.Namespace }}}\n")
    assert data(one(tmp_path, "shop")) == {"r": "shop", "n": "there"}


def test_a_chart_that_takes_helm_down_keeps_no_other_from_being_rendered(
    tmp_path: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering_module, "SECONDS", 1)
    inner = "{{ range until 30000 }}{{ end }}"
    plant("endless", "{{ range until 30000 }}{{ range until 30000 }}" + inner + "{{ end }}{{ end }}")
    plant("huge", '{{ repeat 2000000000 "xxxxxxxx" }}')
    plant("long", '{{ repeat 5000000 "x" }}')
    plant("nested", "{{ " + "(" * 200_000 + "1" + ")" * 200_000 + " }}")
    plant("circle", '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}')
    plant("fine")
    names = ("endless", "huge", "long", "nested", "circle", "fine")
    charts = [Chart(name, (), {}, name, "there") for name in names]
    *broken, fine = render(tmp_path, charts, lambda _: None)
    assert [refused(rendering).partition("\n")[0] for rendering in broken] == [
        "endless: the chart does not render: rendering took more than 1 s and was stopped",
        "huge: the chart does not render: rendering took more memory than it may have and was stopped",
        "long:1:1: the chart does not render: it renders more than 4 MB",
        "nested/templates/x.yaml:1:1: the chart does not render: max expression depth exceeded",
        f"circle/templates/x.yaml:1:20: the chart does not render: {NESTED}",
    ]
    assert fine.manifests[0].name == "shown"


def test_a_template_that_fails_is_told_with_its_line(tmp_path: Path, plant: Plant) -> None:
    cases = {
        "a: {{ if }": 'templates/x.yaml:1:1: the chart does not render: unexpected "}" in if',
        '\nb: {{ env "HOME" }}': 'templates/x.yaml:2:1: the chart does not render: function "env" not defined',
        "a: {{ .Values.x.y }}": "templates/x.yaml:1:14: the chart does not render: nil pointer evaluating",
        'a:\n  b: {{ required "say b" .Values.b }}': "templates/x.yaml:2:9: the chart does not render: say b",
        '{{ include "own.part" . }}': "templates/_part.tpl:2:11: the chart does not render: nil pointer",
    }
    part = '{{ define "own.part" }}\n{{ .Values.a.b.c }}\n{{ end }}'
    for number, template in enumerate(cases):
        plant(f"shop{number}", template, **{"templates/_part.tpl": part})
    for number, (rendering, says) in enumerate(zip(every(tmp_path, "shop", len(cases)), cases.values(), strict=True)):
        assert refused(rendering).startswith(f"shop{number}/{says}")


def test_nothing_of_the_machine_gets_into_a_chart(
    tmp_path: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_SERVICE_AUTH_DEV_URL", "postgres://hunter2")
    text = (
        'kind: A\ndata: {host: {{ getHostByName "localhost" | quote }}, found: {{ lookup "v1" "Pod" "" "" | toJson }},'
    )
    plant("shop", text + ' file: {{ .Files.Get "../secret" | quote }}}\n')
    (tmp_path / "secret").write_text("hunter2")
    assert data(one(tmp_path, "shop")) == {"host": "", "found": {}, "file": ""}


def test_values_that_are_none_are_refused_with_their_place(tmp_path: Path, plant: Plant) -> None:
    cases = {
        BOMB: "1:1: the chart does not render: too deep, too many nodes, or aliases that multiply",
        "a: [": "2:1: the chart does not render: not YAML",
        "x: " + "y" * 300_000: "1:1: the chart does not render: larger than 256 kB",
        "[" * 5_000: "1:1: the chart does not render: too deep",
        "- a\n- b\n": "1:1: the chart does not render: not values: ",
        "a: \udcff": "1:1: the chart does not render: not UTF-8",
    }
    for number, values in enumerate(cases):
        plant(f"shop{number}")
        (tmp_path / f"shop{number}" / "one.yaml").write_text(values, errors="surrogateescape")
    for number, (rendering, says) in enumerate(
        zip(every(tmp_path, "shop", len(cases), "one.yaml"), cases.values(), strict=True)
    ):
        assert refused(rendering).startswith(f"shop{number}/one.yaml:{says}")


def test_a_values_file_of_the_chart_itself_does_not_expand_either(tmp_path: Path, plant: Plant) -> None:
    plant("shop", **{"values.yaml": BOMB})
    assert refused(one(tmp_path, "shop")).startswith("shop/values.yaml:1:1: the chart does not render: too deep")


def test_what_is_not_there_is_said(tmp_path: Path, plant: Plant) -> None:
    plant("shop")
    missing = refused(one(tmp_path, "shop", "shop/values-dev.yaml"))
    assert missing == "shop/values-dev.yaml:1:1: the chart does not render: there is no such file"
    assert refused(one(tmp_path, "store")).startswith("store:1:1: the chart does not render: there is no chart")


def test_links_are_followed_within_the_monorepo_and_refused_out_of_it(tmp_path: Path, plant: Plant) -> None:
    root = tmp_path / "root"
    root.mkdir()
    plant("root/shop")
    (root / "shop/Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (root / "shared.yaml").write_text("a: shared\n")
    (root / "shop/values.yaml").symlink_to("../shared.yaml")
    assert data(one(root, "shop")) == {"a": "shared"}
    (tmp_path / "outside.yaml").write_text("a: outside\n")
    (root / "one.yaml").symlink_to("../outside.yaml")
    said = "the chart does not render: leads out of the monorepo by a link"
    assert refused(one(root, "shop", "one.yaml")) == f"one.yaml:1:1: {said}"
    (root / "shop/templates/y.yaml").symlink_to(tmp_path / "outside.yaml")
    assert refused(one(root, "shop")) == f"shop/templates/y.yaml:1:1: {said}"


def test_what_is_no_plain_file_or_never_ends_is_refused(tmp_path: Path, plant: Plant) -> None:
    plant("pipe")
    os.mkfifo(tmp_path / "pipe/templates/y.yaml")
    assert "pipe/templates/y.yaml:1:1: the chart does not render: neither a file" in refused(one(tmp_path, "pipe"))
    plant("loop")
    (tmp_path / "loop/templates/again").symlink_to("..")
    assert "the chart does not render: more than 12 folders deep" in refused(one(tmp_path, "loop"))


def test_a_dependency_by_file_is_the_one_of_the_monorepo(tmp_path: Path, plant: Plant) -> None:
    plant(
        "base",
        head="type: library\n",
        **{"templates/_a.tpl": '{{ define "a" }}kind: A\nname: {{ .Values.a.b.c }}{{ end }}'},
    )
    (tmp_path / "base/templates/x.yaml").unlink()
    plant("middle", head="dependencies: [{name: base, version: ^1.0.0, repository: file://../base}]\n")
    plant(
        "shop",
        '{{ include "a" . }}',
        head="dependencies: [{name: middle, version: 1.x, repository: file://../middle/, condition: middle.on}]\n",
    )
    rendering = one(tmp_path, "shop")
    assert refused(rendering).startswith("base/templates/_a.tpl:2:17: the chart does not render: nil")
    (tmp_path / "base/templates/_a.tpl").write_text('{{ define "a" }}kind: A{{ end }}')
    assert [one.file for one in one(tmp_path, "shop").manifests] == ["middle/templates/x.yaml", "shop/templates/x.yaml"]
    assert 'no template "a"' in refused(one(tmp_path, "shop", sets={"middle.on": False}))
    assert not (tmp_path / "shop/charts").exists()


def test_a_dependency_that_cannot_be_is_refused(tmp_path: Path, plant: Plant) -> None:
    cases = {
        "1.0.0, repository: https://charts.example.com": "the dependency base is not in charts/, and nothing is",
        "1.0.0, repository: file://../../base": "the dependency base leads out of the monorepo: file://../../base",
        "1.0.0, repository: file:///etc": "the dependency base leads out of the monorepo: file:///etc",
        "1.0.0, repository: file://../shop3": "more than 5 charts depend on each other",
        "1.0.0, repository: file://../none": "there is no chart",
        "^2.0.0, repository: file://../base": "the dependency base ^2.0.0 is: wrong version",
    }
    plant("base")
    for number, wanted in enumerate(cases):
        plant(f"shop{number}", head=f"dependencies: [{{name: base, version: {wanted}}}]\n")
    for rendering, says in zip(every(tmp_path, "shop", len(cases)), cases.values(), strict=True):
        assert f"the chart does not render: {says}" in refused(rendering)


def test_a_vendored_dependency_needs_no_repository(tmp_path: Path, plant: Plant) -> None:
    plant("shop", head="dependencies: [{name: base, version: 1.0.0, repository: 'https://charts.example.com'}]\n")
    plant("shop/charts/base")
    (tmp_path / "shop/charts/base/Chart.yaml").write_text("apiVersion: v2\nname: base\nversion: 1.0.0\n")
    names = [one.file for one in one(tmp_path, "shop").manifests]
    assert names == ["shop/charts/base/templates/x.yaml", "shop/templates/x.yaml"]


def test_values_that_break_the_charts_schema_are_refused(tmp_path: Path, plant: Plant) -> None:
    plant("shop", **{"values.schema.json": '{"properties": {"a": {"type": "integer"}}}', "one.yaml": "a: x\n"})
    assert "the chart does not render" in refused(one(tmp_path, "shop", "shop/one.yaml"))


def test_a_rendered_text_that_is_no_yaml_is_told(tmp_path: Path, plant: Plant) -> None:
    plant("shop", "kind: A\n---\nkind: B\n  a: b\n")
    rendering = one(tmp_path, "shop")
    assert [one.kind for one in rendering.manifests] == ["A"]
    ((place, why),) = rendering.unreadable
    assert str(place) == "shop/templates/x.yaml:4:3"
    assert why.startswith("not YAML")


def test_a_helm_that_does_not_start_is_an_error(tmp_path: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant("shop")
    monkeypatch.setattr(toolchain, "helm", lambda _: tmp_path)
    with pytest.raises(ToolError, match="Helm does not start") as caught:
        one(tmp_path, "shop")
    assert "helm_python" in caught.value.why
