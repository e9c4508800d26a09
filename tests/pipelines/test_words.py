from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines import graph, words
from pipelines.contents import Contents, Variable
from schemas.catalog import Catalog, Database, Environment, Reference, Service
from schemas.errors import GanderError, Refused, SelectionError

HERE = Path(__file__).parent
CASES: dict[str, Any] = yaml.safe_load((HERE / "cases" / "words.yaml").read_text())
VARIABLES: dict[str, Any] = yaml.safe_load((HERE / "cases" / "variables.yaml").read_text())
COMMANDS = ("list", "run", "why")


def page() -> Contents:
    spec = importlib.util.spec_from_file_location("contents_page_for_tests", HERE / "project" / "dodo.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    contents: Contents = module.CONTENTS
    return contents


CONTENTS = page()


def database(service: str, key: str) -> Database:
    place = f"services/{service}/migrations"
    return Database(
        service=service, key=key, engine="postgres", names={}, url_env={}, migrations=place, table="t", job="j"
    )


def service(name: str, *databases: Database | Reference) -> Service:
    return Service(name=name, folder=f"services/{name}", migration_job="", image="", databases=databases)


CATALOG = Catalog(
    file=Path("/m/services.yaml"),
    root=Path("/m"),
    environments={name: Environment(name=name, servers={}) for name in ("local", "prod")},
    services={
        "auth-service": service("auth-service", database("auth-service", "auth")),
        "legal-service": service("legal-service", database("legal-service", "legal")),
        "identity-service": service(
            "identity-service",
            database("identity-service", "identity"),
            database("identity-service", "auth"),
            Reference(service="identity-service", key="legal", owner="legal-service/legal"),
        ),
    },
)


def jobs(*typed: str, single: bool = False) -> tuple[graph.Job, ...]:
    return graph.jobs(words.read(typed, CONTENTS, COMMANDS), CONTENTS, lambda: CATALOG, single=single)


@pytest.mark.parametrize("name", CASES)
def test_words(name: str) -> None:
    case = CASES[name]
    if "says" in case:
        with pytest.raises(GanderError) as raised:
            jobs(*case["words"])
        assert case["says"] in str(raised.value)
        assert raised.value.exit_code == case.get("exit", 3)
        return
    made = jobs(*case["words"], single=case.get("single", False))
    assert [job.name if job.named else f"({job.name})" for job in made] == case["jobs"]
    if "targets" in case:
        assert [target.name for job in made for target in job.targets] == case["targets"]


@pytest.mark.parametrize("name", VARIABLES)
def test_variables(name: str) -> None:
    case = VARIABLES[name]
    used = {verb: CONTENTS.verbs[verb].takes if verb in CONTENTS.verbs else ("free",) for verb in case["selected"]}
    contents = Contents(
        steps=CONTENTS.steps,
        operations=CONTENTS.operations,
        groups={},
        default="build",
        variables={**CONTENTS.variables, "free": Variable(doc="anything")},
    )
    _, given_words = words.split(case["words"])
    if "says" in case:
        with pytest.raises(SelectionError) as raised:
            words.check_variables(given_words, contents, used)
        assert case["says"] in str(raised.value)
    else:
        assert words.check_variables(given_words, contents, used) == case["becomes"]


def test_options_stay_words_even_with_an_equal_sign() -> None:
    assert words.split(["-n", "4", "--x=y", "a=b", "build"]) == (["-n", "4", "--x=y", "build"], [("a", "b")])


@pytest.mark.parametrize("word", ["", " "])
def test_an_empty_word_is_refused(word: str) -> None:
    with pytest.raises(SelectionError, match="an empty word"):
        words.split([word])


def test_only_what_needs_names_asks_for_the_catalog() -> None:
    def catalog() -> Catalog:
        raise AssertionError("asked")

    requests = words.read(["selftest"], CONTENTS)
    assert [job.name for job in graph.jobs(requests, CONTENTS, catalog)] == ["selftest"]


def test_an_environment_without_deploy_is_told_the_argo_cd_application() -> None:
    bare = Contents(steps=CONTENTS.steps, operations=(), groups={}, default="build", variables={})
    with pytest.raises(Refused, match=r"build:auth-service@prod") as raised:
        graph.jobs(words.read(["build:auth-service@prod"], bare), bare, lambda: CATALOG)
    assert "names no Argo CD application for prod" in raised.value.todo


@given(st.text(alphabet="*abuild:/@-=? é", max_size=24))
def test_any_word_makes_jobs_or_one_clear_error(word: str) -> None:
    said: GanderError | None = None
    made: tuple[graph.Job, ...] = ()
    try:
        typed, _ = words.split([word])
        made = jobs(*typed) if typed else ()
    except GanderError as error:
        said = error
    assert all(job.name for job in made)
    assert said is None or (said.what and said.exit_code in {1, 3})


@given(st.lists(st.sampled_from(["check", "raise", "build:auth-service", "raise:identity-service/legal", "both"])))
def test_a_job_always_comes_after_what_it_needs(typed: list[str]) -> None:
    seen: set[str] = set()
    for job in jobs(*typed):
        assert seen.issuperset(job.needs)
        assert job.name not in seen
        seen.add(job.name)
