"""Objects of manifests keep the places of their parts, in a file as it is and in one that a chart has rendered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.manifest import Manifest, Unreadable, manifests
from schemas.yaml_lenient import read

PLAIN = """\
# two objects
kind: Job
metadata:
  name: a
  annotations: {one: "1", two: true}
spec:
  list:
    - x: 1
      y: 2
---
kind: List
items:
  - {kind: Pod, metadata: {name: p}}
"""
TEMPLATE = """\
kind: Job
metadata:
  name: {{ .Chart.Name }}-migrate{{ if .Values.more }}-{{ .Values.more }}{{ end }}
spec:
  backoffLimit: {{ .Values.tries }}
  template:
    spec:
      containers:
        - name: migrate
          image: {{ include "image" . }}
          {{- include "env" . | nindent 10 }}
        - name: other
          image: other:1
"""
PARTIAL = '{{ define "env" }}\nenv:\n  - name: A\n    value: b\n{{ end }}\n'
RENDERED = """\
kind: Job
metadata:
  name: shop-migrate
spec:
  backoffLimit: 3
  template:
    spec:
      containers:
        - name: migrate
          image: shop:1
          env:
            - name: A
              value: b
        - name: other
          image: other:1
"""


def objects(text: str, sources: tuple[tuple[str, str], ...] | None = None) -> list[Manifest]:
    found = list(manifests(text, "x.yaml", sources))
    assert all(isinstance(one, Manifest) for one in found)
    return [one for one in found if isinstance(one, Manifest)]


def test_each_part_of_a_plain_file_has_its_place() -> None:
    job, pod = objects(PLAIN)
    assert (job.kind, job.name, dict(job.annotations)) == ("Job", "a", {"one": "1", "two": "true"})
    assert [str(job.at(*path)) for path in [(), ("metadata", "name"), ("spec", "list", 0, "y")]] == [
        "x.yaml:2:1",
        "x.yaml:4:3",
        "x.yaml:9:7",
    ]
    assert str(job.at("metadata", "annotations", "two")) == "x.yaml:5:27"
    assert (pod.name, str(pod.at("metadata", "name"))) == ("p", "x.yaml:13:28")


def test_what_is_not_there_is_placed_where_it_would_be() -> None:
    job, _ = objects(PLAIN)
    assert str(job.at("spec", "list", 7, "z")) == "x.yaml:7:3"
    assert str(job.at("status", "x")) == "x.yaml:2:1"
    assert job.get("spec", "list", 7) is None
    assert job.get("kind", "x") is None


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("spec", "backoffLimit"), "x.yaml:5:3"),
        (("metadata", "name"), "x.yaml:3:3"),
        (("spec", "template", "spec", "containers", 0, "name"), "x.yaml:9:9"),
        (("spec", "template", "spec", "containers", 1, "image"), "x.yaml:13:11"),
        (("spec", "template", "spec", "containers", 0, "env", 0, "value"), "_part.tpl:4:5"),
    ],
)
def test_a_rendered_part_is_placed_in_the_line_that_alone_can_have_become_it(
    path: tuple[str | int, ...], place: str
) -> None:
    (job,) = objects(RENDERED, (("x.yaml", TEMPLATE), ("_part.tpl", PARTIAL)))
    assert str(job.at(*path)) == place


def test_a_line_of_the_template_itself_goes_before_the_same_one_of_what_it_includes() -> None:
    sources = (("x.yaml", "kind: Job\nspec:\n  backoffLimit: 3\n"), ("_part.tpl", "a:\n  backoffLimit: 3\n"))
    (job,) = objects("kind: Job\nspec:\n  backoffLimit: 3\n", sources)
    assert str(job.at("spec", "backoffLimit")) == "x.yaml:3:3"


def test_without_a_line_that_fits_a_rendered_object_is_placed_at_its_template() -> None:
    (job,) = objects(RENDERED, (("x.yaml", '{{ include "all" . }}'),))
    assert str(job.at("spec", "backoffLimit")) == "x.yaml:1:1"


def test_an_object_before_a_mistake_counts_and_the_mistake_is_placed() -> None:
    job, mistake = manifests("kind: Job\n---\na: [\n", "x.yaml")
    assert isinstance(job, Manifest)
    assert isinstance(mistake, Unreadable)
    assert str(mistake.place) == "x.yaml:4:1"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n", "a: 1\n", "- kind: Job\n", "kind: 3\n", "x"])
def test_what_has_no_kind_is_no_object(text: str) -> None:
    assert list(manifests(text, "x.yaml")) == []


def test_aliases_that_multiply_are_a_mistake_only_where_they_would_be_expanded() -> None:
    layers = "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcd", "bcde", strict=True))
    bomb = f"a: &a [{', '.join('x' * 10)}]\n{layers}"
    assert read(bomb).mistake.startswith("too deep")
    assert read(bomb, most=None).mistake == ""
    assert read(bomb.replace("e: &e", "# ")).mistake == ""


@given(st.text(alphabet=st.sampled_from("a:-[]{}&*!|>'\"#\n \t?,1é\0"), max_size=60))
def test_any_text_is_read_or_has_a_mistake(text: str) -> None:
    for one in manifests(f"kind: A\n{text}", "x.yaml", ((("x.yaml"), text),)):
        assert isinstance(one, Unreadable) or one.at("a", 0, "b").file == "x.yaml"
