from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog import Database, Environment, Reference, Service
from schemas.errors import Refused
from schemas.goose_log import parse_log
from schemas.manifest import Manifest, manifests
from schemas.structure import Object
from tasks.rehearse.job import Job, Key, read, words
from tasks.rehearse.judgement import Facts, judge, startable
from tasks.rehearse.secret import Secrets, documented, made, settle

HERE = Path(__file__).parent / "cases"
JOB, SECRET, JUDGEMENT = (
    yaml.safe_load((HERE / f"rehearse_{name}.yaml").read_text()) for name in ("job", "secret", "judgement")
)
USUAL = """
kind: Job
metadata: {name: cart-migrate}
spec:
  activeDeadlineSeconds: 21600
  template:
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532}
      containers:
        - image: shop/cart@sha256:1
          args: [-env=none, up]
          env:
            - {name: TABLE, value: versions}
            - {name: GOOSE_DBSTRING, valueFrom: {secretKeyRef: {name: cart, key: DATABASE_URL}}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
"""


def manifest(says: dict[str, Any]) -> Manifest:
    data = yaml.safe_load(USUAL)
    for path, value in says.items():
        *above, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place = data
        for part in above:
            place = place[part]
        place[last] = value
    (found,) = manifests(yaml.safe_dump(data, sort_keys=False), "job.yaml")
    assert isinstance(found, Manifest)
    return found


@pytest.mark.parametrize("name", JOB["read"])
def test_what_a_container_gets_of_a_job(name: str) -> None:
    case = JOB["read"][name]
    job = read(manifest(case["says"]))
    found = {key: getattr(job, key) for key in case["gets"]}
    assert {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()} == case["gets"]
    assert job.variables == {"TABLE": "versions", "GOOSE_DBSTRING": Key(kind="Secret", name="cart", key="DATABASE_URL")}


@pytest.mark.parametrize("name", JOB["refuse"])
def test_what_no_container_here_can_repeat_is_refused(name: str) -> None:
    case = JOB["refuse"][name]
    with pytest.raises(Refused) as raised:
        read(manifest(case["says"]))
    assert raised.value.why == case["why"]
    assert raised.value.where.startswith("job.yaml:")


@pytest.mark.parametrize("name", JOB["words"])
def test_variables_in_a_command_line(name: str) -> None:
    case = JOB["words"][name]
    assert list(words(read(manifest({})), case["texts"], {"TABLE": "versions"})) == case["become"]


@pytest.mark.parametrize(
    ("word", "why"),
    [("$(GOOSE_DBSTRING)", "everybody who lists processes reads it"), ("tcp://db.example.com", "names a server")],
)
def test_a_command_line_names_no_server(word: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        words(read(manifest({})), ["clickhouse", word, "up"], {})


def service(databases: dict[str, Any]) -> Service:
    entries: list[Database | Reference] = [
        Reference(service="cart", key=key, owner=one["owner"])
        if "owner" in one
        else Database(
            service="cart",
            key=key,
            engine=one["engine"],
            names={},
            url_env={"dev": f"CART_{key.upper().replace('-', '_')}_DEV_URL"},
            migrations="",
            table="goose_db_version",
            job="",
        )
        for key, one in databases.items()
    ]
    return Service(name="cart", folder="", migration_job="", image="", databases=tuple(entries))


@pytest.mark.parametrize("name", SECRET["documented"])
def test_which_keys_are_documented(name: str) -> None:
    case = SECRET["documented"][name]
    found = documented(service(case["databases"]), Environment(name="dev", servers={}), case.get("prisma", {}))
    assert found == case["keys"]


def source(text: str) -> str | Key:
    if text.startswith("="):
        return text[1:]
    kind, name, key = text.removesuffix("?").split("/")
    return Key(kind=kind, name=name, key=key, optional=text.endswith("?"))


@pytest.mark.parametrize("name", SECRET["settle"])
def test_what_the_variables_of_a_job_hold(name: str) -> None:
    case = SECRET["settle"][name]
    job = Job(name="", where="", image="", variables={key: source(text) for key, text in case["variables"].items()})
    there = {tuple(key.split("/")): keys for key, keys in case.get("made", {}).items()}
    keys = {"DATABASE_URL": "cart/main", "STATS_DATABASE_URL": "cart/stats"}
    found = settle(job, Secrets("cart/main", keys, there))
    assert list(found.findings) == case.get("findings", [])
    if "url" in case or "texts" in case:
        assert (list(found.url), dict(found.texts)) == (case.get("url", []), case.get("texts", {}))


@pytest.mark.parametrize("name", SECRET["made"])
def test_what_a_chart_makes_itself(name: str) -> None:
    case = SECRET["made"][name]
    found = made(one for one in manifests(case["objects"], "all.yaml") if isinstance(one, Manifest))
    assert {"/".join(key): keys for key, keys in found.items()} == case["made"]


@pytest.mark.parametrize("name", JUDGEMENT["judge"])
def test_whether_a_job_did_its_work(name: str) -> None:
    case = JUDGEMENT["judge"][name]
    log = case.get("log", "OK    2_b.sql (1ms)\ngoose: successfully migrated database to version: 2")
    found = judge(
        Facts(
            files={1: "1_a.sql", 2: "2_b.sql"},
            before=case.get("before", {1: "1_a.sql"}),
            log=parse_log(log),
            code=case.get("code", 0),
            deadline=60,
            explained=case.get("explained", ""),
            directory=case.get("directory", "/migrations"),
            folders={"/migrations"},
            tables=case.get("tables", {"goose_db_version": [0, *case.get("held", [1, 2])]}),
            structure={
                Object(kind=key.partition(" ")[0], name=key.partition(" ")[2]): text
                for key, text in case.get("structure", {}).items()
            },
            validated=case.get("validated", ()),
        )
    )
    assert list(found.findings) == case["findings"]
    assert list(found.ran) == case.get("ran", [])
    assert list(found.notes) == case.get("notes", [])


@pytest.mark.parametrize("name", JUDGEMENT["startable"])
def test_whether_a_pod_would_start(name: str) -> None:
    case = JUDGEMENT["startable"][name]
    settings = {"image": "shop/cart@sha256:1", "no_root": True, **case.get("job", {})}
    job = Job(name="cart-migrate", where="", variables={}, **settings)
    found = list(startable(job, "shop/cart@sha256:1", case.get("image_user", "65532:65532")))
    assert len(found) == len(case["says"])
    assert all(text.startswith(start) for text, start in zip(found, case["says"], strict=True))
