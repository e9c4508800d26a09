from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import graph, words
from pipelines.contents import Contents, Operation, Step
from schemas.catalog import Catalog, Database, Environment, Reference, Service
from schemas.errors import GanderError

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "places.yaml").read_text())
CONTENTS = Contents(
    steps=(
        Step("build", "", "m:f", references=False),
        Step("pull", "", "m:f", engine="postgres"),
        Step("pack", "", "m:f", over="service", after=("build", "absent")),
        Step("ship", "", "m:f", after=("pack",)),
        Step("stage", "", "m:f", over="release", after=("pack",)),
        Step("sail", "", "m:f", over="release", after=("stage", "build"), owners=("arrive",)),
        Step("arrive", "", "m:f", over="release", follows=("sail", "absent")),
        Step("check", "", "m:f", over="everything", references=False, after=("build",)),
        Step("give", "", "m:f", over="service", after=("check",)),
        Step("try", "", "m:f", after=("check",)),
    ),
    operations=(
        Operation("write", "", "m:f", over="one", environments="none"),
        Operation("drift", "", "m:f", over="all", environments="others"),
        Operation("look", "", "m:f", over="all", environments="any"),
        Operation("foresee", "", "m:f", over="releases", environments="others"),
    ),
    groups={"all": ("build", "pull"), "release": ("pack", "stage", "sail")},
    default="all",
    variables={},
)


def owned(service: str, key: str, engine: Any = "postgres") -> Database:
    return Database(service=service, key=key, engine=engine, names={}, url_env={}, migrations="m", table="t", job="j")


def service(name: str, *databases: Database | Reference) -> Service:
    return Service(name=name, folder=f"services/{name}", migration_job="", image="", databases=databases)


CATALOG = Catalog(
    file=Path("/m/services.yaml"),
    root=Path("/m"),
    environments={
        "local": Environment(name="local", servers={}),
        "dev": Environment(name="dev", servers={}),
        "prod": Environment(name="prod", servers={}, after="dev"),
    },
    services={
        "auth-service": service("auth-service", owned("auth-service", "auth")),
        "legal-service": service("legal-service", owned("legal-service", "legal")),
        "identity-service": service(
            "identity-service",
            owned("identity-service", "identity"),
            owned("identity-service", "auth"),
            Reference(service="identity-service", key="legal", owner="legal-service/legal"),
        ),
        "log-service": service("log-service", owned("log-service", "log", "clickhouse")),
    },
)


def jobs(*typed: str, single: bool = False) -> tuple[graph.Job, ...]:
    return graph.jobs(words.read(typed, CONTENTS), CONTENTS, lambda: CATALOG, single=single)


@pytest.mark.parametrize("name", CASES)
def test_places(name: str) -> None:
    case = CASES[name]
    if "says" in case:
        with pytest.raises(GanderError) as raised:
            jobs(*case["words"])
        assert case["says"] in str(raised.value)
        assert raised.value.exit_code == case.get("exit", 3)
        return
    found = jobs(*case["words"], single=case.get("single", False))
    made = [(job.named, target.name) for job in found for target in job.targets]
    assert [name if named else f"({name})" for named, name in made] == case["targets"]


@pytest.mark.parametrize("typed", [("sail", "arrive"), ("arrive", "sail")])
def test_a_step_that_follows_goes_after_the_other_of_its_release_where_both_are_named(typed: tuple[str, str]) -> None:
    found = jobs(*(f"{step}:log-service@prod" for step in typed))
    assert [job.name for job in found][-2:] == ["sail:log-service@prod", "arrive:log-service@prod"]
    assert found[-1].needs == ("sail:log-service@prod",)


def test_a_step_that_follows_brings_nothing_with_it() -> None:
    found = jobs("arrive:log-service@dev", "sail:log-service@prod")
    assert [job.name for job in found if job.named] == ["arrive:log-service@dev", "sail:log-service@prod"]
    assert found[0].needs == ()


def test_what_reads_goes_after_the_release_of_the_owner_where_both_are_named() -> None:
    typed = [f"{step}:{name}@dev" for name in ("identity-service", "legal-service") for step in ("sail", "arrive")]
    found = jobs(*typed)
    order = [job.name for job in found if job.named]
    assert order.index("arrive:legal-service@dev") < order.index("sail:identity-service@dev")
    assert "arrive:legal-service@dev" in next(job for job in found if job.name == "sail:identity-service@dev").needs
    alone = jobs("sail:identity-service@dev", "arrive:legal-service@prod")
    assert not any("legal" in need for job in alone if job.name == "sail:identity-service@dev" for need in job.needs)


def test_of_two_services_that_read_each_other_none_waits_for_the_other() -> None:
    legal = CATALOG.services["legal-service"]
    back = Reference(service="legal-service", key="auth", owner="identity-service/auth")
    mutual = {**CATALOG.services, "legal-service": legal._replace(databases=(*legal.databases, back))}
    catalog = CATALOG._replace(services=mutual)
    assert [one.label for one in CATALOG.read_first("identity-service")] == ["legal-service/legal"]
    assert catalog.read_first("identity-service") == catalog.read_first("legal-service") == ()
    typed = [f"sail:{name}@dev" for name in ("identity-service", "legal-service")]
    typed += [word.replace("sail", "arrive") for word in typed]
    made = graph.jobs(words.read(typed, CONTENTS), CONTENTS, lambda: catalog)
    assert {job.name for job in made} >= set(typed)


def test_what_a_branch_touches_is_kept_with_what_it_needs() -> None:
    kept = graph.only(jobs("ship", "look"), {"auth-service"})
    assert [job.name for job in kept] == [
        "build:auth-service/auth",
        "pack:auth-service",
        "ship:auth-service/auth",
        "look",
    ]


def test_what_is_about_no_service_is_kept_whatever_a_branch_touches() -> None:
    kept = graph.only(jobs("check"), {"auth-service"})
    assert [job.name for job in kept] == [
        "check",
        "build:auth-service/auth",
        "check:auth-service",
        "check:auth-service/auth",
    ]
    assert [job.name for job in graph.only(jobs("check"), set())] == ["check"]


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("build", "build[:SERVICE[/DATABASE]]"),
        ("pack", "pack[:SERVICE]"),
        ("stage", "stage[:SERVICE]@ENVIRONMENT"),
        ("foresee", "foresee[:SERVICE]@ENVIRONMENT"),
        ("write", "write:SERVICE[/DATABASE]"),
        ("drift", "drift[:SERVICE[/DATABASE]]@ENVIRONMENT"),
        ("look", "look[:SERVICE[/DATABASE]][@ENVIRONMENT]"),
    ],
)
def test_the_manual_shows_how_a_verb_is_typed(verb: str, form: str) -> None:
    assert words.form(CONTENTS.verbs[verb]) == form
