"""`doit init` and then `doit migrate`, typed for monorepos that have never heard of Gander."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from bench.monorepo import generate
from schemas import catalog_file
from tests.journeys.clickhouse import CREATE
from tests.journeys.conftest import ROOT, Monorepo, counts, lend, ran

TABLE = """-- +goose Up
CREATE TABLE {0} (id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT, at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW());
-- +goose Down
DROP TABLE {0};
"""
PRISMA = 'datasource db {\n  provider = "postgresql"\n  url      = env("DATABASE_URL")\n}\n'
JOB = """kind: Job
metadata:
  name: {{ .Release.Name }}-goose
  annotations:
    argocd.argoproj.io/hook: PreSync
"""
Plant = Callable[[dict[str, str]], Monorepo]


@pytest.fixture(name="plant")
def fixture_plant(empty_server: Monorepo, tmp_path: Path) -> Iterator[Plant]:
    """A monorepo of these files, without services.yaml and with a server's files that are ready."""
    monorepo = Monorepo(root=tmp_path / "shop")

    def plant(files: dict[str, str]) -> Monorepo:
        for path, text in files.items():
            (monorepo.root / path).parent.mkdir(parents=True, exist_ok=True)
            (monorepo.root / path).write_text(text)
        return lend(empty_server, monorepo)

    yield plant
    if (monorepo.root / "services.yaml").exists():
        monorepo.doit("stop")
    shutil.rmtree(monorepo.root)


def snapshot(root: Path) -> dict[str, str]:
    """Every file and link with its content and mode; not what is made in .state, and not Python's own caches."""
    found = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in {".state", "__pycache__", ".venv", ".git"}]
        for path in (Path(folder) / name for name in files):
            content = str(path.readlink()) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
            found[path.relative_to(root).as_posix()] = f"{path.lstat().st_mode:o} {content}"
    return found


def adopted(monorepo: Monorepo) -> str:
    """Type `doit init`; it has written services.yaml and nothing else, and a second one is refused."""
    before = snapshot(monorepo.root)
    done = monorepo.fine("init")
    after = snapshot(monorepo.root)
    assert after.pop("services.yaml")
    assert after == before
    again = monorepo.doit("init")
    assert again.returncode == 1
    assert "there is a services.yaml already" in again.stderr
    return done.stdout


def test_a_flat_monorepo(plant: Plant) -> None:
    monorepo = plant(
        {
            "auth/migrations/20250101120000_create_users.sql": TABLE.format("users"),
            "auth/migrations/20250102120000_create_sessions.sql": TABLE.format("sessions"),
            "auth/prisma/schema.prisma": PRISMA,
            "billing/db/migrations/20250101120000_create_bills.sql": TABLE.format("bills"),
            "mail/prisma/schema.prisma": PRISMA,
            "README.md": "# Shop\n",
        }
    )
    monorepo.commit()
    told = adopted(monorepo)
    assert "mail/prisma/schema.prisma: a service with Prisma and no goose migrations is left out" in told
    before = snapshot(monorepo.root)
    done = monorepo.fine("migrate")
    assert counts(done) == (2, 0, 0)
    assert set(ran(done)) == {"migrate:auth/auth", "migrate:billing/billing"}
    assert monorepo.fine("status").returncode == 0
    assert snapshot(monorepo.root) == before


def test_a_nested_monorepo_with_several_databases_a_service(plant: Plant) -> None:
    monorepo = plant(
        {
            "apps/orders/db/migrations/orders/20250101120000_create_orders.sql": TABLE.format("orders"),
            "apps/orders/db/migrations/clicks/20250101120000_create_clicks.sql": CREATE.format(
                db="clicks_db", table="clicks"
            ),
            "apps/stock-service/migrations/20250101120000_create_shelves.sql": TABLE.format("shelves"),
            "apps/stock-service/helm/values-dev.yaml": "database: {name: stock_dev}\n",
            "apps/stock-service/helm/templates/job.yaml": JOB,
        }
    )
    told = adopted(monorepo)
    assert "ClickHouse clusters: my_cluster" in told
    catalog = catalog_file.load(monorepo.root / "services.yaml")
    assert {one.label: dict(one.names) for one in catalog.databases()} == {
        "orders/clicks": {"local": "clicks_db", "dev": "clicks_db"},
        "orders/orders": {"local": "orders_orders", "dev": "orders_dev"},
        "stock-service/stock": {"local": "stock_service_stock", "dev": "stock_dev"},
    }
    assert catalog.services["stock-service"].databases[0]._asdict()["job"] == "stock-service-goose"
    assert counts(monorepo.fine("migrate")) == (3, 0, 0)
    assert counts(monorepo.fine("migrate")) == (0, 3, 0)


def test_a_monorepo_of_sequential_names(plant: Plant, tmp_path: Path) -> None:
    generate(tmp_path / "shop", services=3, files=6).unlink()
    monorepo = plant({"services/service-001/package.json": "{}\n"})
    told = adopted(monorepo)
    assert told.count("6 files, numbered") == 3
    assert counts(monorepo.fine("migrate")) == (3, 0, 0)
    assert monorepo.fine("create:service-002", "name=add_more").stdout.endswith("00007_add_more.sql\n")


def test_a_monorepo_whose_tables_prisma_had_made_before_the_first_migration(plant: Plant) -> None:
    monorepo = plant(
        {
            "services/old/migrations/00001_add_nickname.sql": "-- +goose Up\nALTER TABLE users ADD COLUMN more TEXT;\n"
            "-- +goose Down\nALTER TABLE users DROP COLUMN more;\n",
            "services/old/migrations/00002_create_devices.sql": TABLE.format("devices"),
            "services/old/helm/values-dev.yaml": "database: {name: old_dev}\n",
        }
    )
    adopted(monorepo)
    assert "doit baseline:SERVICE@ENVIRONMENT" in monorepo.doit("migrate").stderr
    with psycopg.connect(monorepo.urls()["old/old"], dbname="postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE old_dev")
    url = re.sub(r"/[^/?]+(?=\?|$)", "/old_dev", monorepo.urls()["old/old"])
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE users (id TEXT PRIMARY KEY)")
    assert monorepo.fine("baseline:old@dev", OLD_OLD_DEV_URL=url).stdout == "services/old/baseline.sql\n"
    catalog = monorepo.root / "services.yaml"
    line = r"\g<0>\n\1baseline: services/old/baseline.sql"
    catalog.write_text(re.sub(r"^( +)engine: postgres.*", line, catalog.read_text(), flags=re.MULTILINE))
    assert counts(monorepo.fine("migrate")) == (1, 0, 0)
    assert counts(monorepo.fine("migrate")) == (0, 1, 0)


def test_the_example_is_described_as_its_own_services_yaml_does(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "services", tmp_path / "services")
    monorepo = Monorepo(root=tmp_path)
    monorepo.fine("init")
    assert not monorepo.state.exists()
    made, ours = (catalog_file.load(root / "services.yaml") for root in (tmp_path, ROOT))
    assert made.services.keys() == ours.services.keys()
    for name, service in ours.services.items():
        entries = {entry.key: entry for entry in made.services[name].databases}
        assert entries.keys() == {entry.key for entry in service.databases}
        for entry in service.databases:
            told = {"names": None, "url_env": None, "purpose": None, "retention": None}
            assert entries[entry.key]._asdict() | told == entry._asdict() | told


def test_a_monorepo_without_migrations_is_told_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "services" / "a").mkdir(parents=True)
    (tmp_path / "services" / "a" / "1_a.sql").write_text("SELECT 1;\n")
    monorepo = Monorepo(root=tmp_path)
    done = monorepo.doit("init")
    assert done.returncode == 1
    assert "no goose migrations were found, so nothing was written" in done.stderr
    assert "1 file looked at" in done.stderr
    assert "-- +goose Up" in done.stderr
    assert os.listdir(tmp_path) == ["services"]  # noqa: PTH208 - names only


def test_a_broken_services_yaml_is_not_overwritten_either(tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    file.write_text("version: [")
    done = Monorepo(root=tmp_path).doit("init")
    assert done.returncode == 1
    assert "never overwritten" in done.stderr
    assert file.read_text() == "version: ["


def test_of_two_at_once_one_writes_and_the_other_is_refused(tmp_path: Path) -> None:
    monorepo = Monorepo(root=tmp_path)
    (tmp_path / "a" / "migrations").mkdir(parents=True)
    (tmp_path / "a" / "migrations" / "1_a.sql").write_text(TABLE.format("a"))
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: monorepo.doit("init"), range(2)))
    assert sorted(one.returncode for one in done) == [0, 1]
    assert {path.name for path in tmp_path.iterdir()} == {"a", "services.yaml"}
    assert list(catalog_file.load(tmp_path / "services.yaml").services) == ["a"]


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    (root / "a" / "migrations").mkdir(parents=True)
    (root / "a" / "migrations" / "1_a.sql").write_text(TABLE.format("a"))
    root.chmod(0o555)
    try:
        done = Monorepo(root=root).bound_by_modes.doit("init")
    finally:
        root.chmod(0o755)
    assert done.returncode == 1
    assert "the file cannot be written: Permission denied" in done.stderr
    missing = Monorepo(root=tmp_path / "nowhere").doit("init")
    assert missing.returncode == 1
    assert "there is no such folder" in missing.stderr


def test_a_tree_that_means_no_good_is_read_in_seconds(tmp_path: Path) -> None:
    root, outside = tmp_path / "shop", tmp_path / "outside"
    stream = root / "services" / "a" / "migrations"
    many = root / "services" / "many" / "migrations"
    for folder in (stream, many, outside / "migrations"):
        folder.mkdir(parents=True)
    for number in range(1, 10_001):
        (many / f"{number:05}_t{number}.sql").write_text(TABLE.format(f"t{number}"))
    (stream / "1_a.sql").write_text(TABLE.format("a"))
    (stream / "2_binary.sql").write_bytes(b"-- +goose Up\n\0\xff" + os.urandom(10_000))
    with (stream / "3_large.sql").open("w") as file:
        file.write("-- +goose Up\n")
        file.writelines(f"INSERT INTO a (id) VALUES ('{'x' * 1000}');\n" for _ in range(50_000))
    (stream / "4_one_line.sql").write_text("-- +goose Up\nSELECT '" + "(" * 200_000)
    os.mkfifo(stream / "5_pipe.sql")
    (outside / "migrations" / "1_b.sql").write_text(TABLE.format("b"))
    (root / "services" / "b").symlink_to(outside)
    (root / "services" / "loop").symlink_to("../services")
    (root / "services" / "self").symlink_to("self")
    (stream / "6_out.sql").symlink_to(outside / "migrations" / "1_b.sql")
    helm = root / "services" / "a" / "helm" / "templates"
    helm.mkdir(parents=True)
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 60))
    (helm.parent / "values-dev.yaml").write_text(bomb)
    (helm.parent / "values-prod.yaml").write_text("[" * 200_000)
    (helm / "job.yaml").write_text("kind: Job\nmetadata:\n" + "  name: {{ " * 20_000)
    (helm / "other.yaml").write_text("kind: Job\nmetadata:\n" + "  \n" * 60_000 + "- name: A\n" * 20_000)
    deep = root
    for _ in range(40):
        deep /= "d"
    (deep / "migrations").mkdir(parents=True)
    (deep / "migrations" / "1_deep.sql").write_text(TABLE.format("deep"))
    before = snapshot_without_pipes(root)
    began = time.monotonic()
    done = Monorepo(root=root).fine("init")
    assert time.monotonic() - began < 20
    assert snapshot_without_pipes(root) - before == {"services.yaml"}
    assert list(catalog_file.load(root / "services.yaml").services) == ["a", "many"]
    assert "10,000 files" in done.stdout


def snapshot_without_pipes(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*")}


def test_results_that_a_ci_keeps_are_true_on_another_machine(plant: Plant, tmp_path: Path) -> None:
    """As docs/ci has it: of .state only state.db is kept, and the checkout may lie elsewhere."""
    monorepo = plant({"services/a/migrations/1_a.sql": TABLE.format("a"), "services/a/prisma/schema.prisma": PRISMA})
    monorepo.fine("init")
    assert set(ran(monorepo.fine("test", "migrate"))) == {"lint:a/a", "test:a/a", "migrate:a/a"}
    monorepo.settle()
    other = Monorepo(root=tmp_path / "elsewhere")
    shutil.copytree(monorepo.root, other.root, ignore=shutil.ignore_patterns(".state"))
    other.state.mkdir()
    shutil.copy(monorepo.state / "state.db", other.state)
    assert ran(other.fine("test", "migrate")) == ["migrate:a/a"]
    (other.root / "services" / "a" / "migrations" / "2_b.sql").write_text(TABLE.format("b"))
    assert ran(other.fine("test")) == ["lint:a/a", "test:a/a"]
