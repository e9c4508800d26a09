from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from schemas.catalog import Allowed, ArgoCD, Catalog, Database, Environment, GitOps, Lint, Reference, Retention, Values
from schemas.catalog_file import LARGEST, load
from schemas.errors import CatalogError

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


def owned(catalog: Catalog, label: str) -> Database:
    found = catalog.entry(*label.split("/"))
    assert isinstance(found, Database)
    return found


@pytest.fixture(name="whole")
def fixture_whole(tmp_path: Path) -> Catalog:
    return load(made(tmp_path, WHOLE.read_text()))


def test_the_whole_example_has_six_services_in_the_order_of_the_file(whole: Catalog, tmp_path: Path) -> None:
    assert whole.file == tmp_path / "services.yaml"
    assert whole.root == tmp_path
    assert list(whole.services) == [
        *("auth-service", "personal-service", "identity-service"),
        *("legal-service", "audit-service", "analytics-service"),
    ]
    assert [database.label for database in whole.databases()] == [
        *("auth-service/auth", "personal-service/personal", "identity-service/identity", "identity-service/auth"),
        *("legal-service/legal", "audit-service/audit", "analytics-service/analytics"),
    ]


def test_the_whole_example_s_environments(whole: Catalog) -> None:
    argocd = {"server": "argocd.example.com", "token_env": "ARGOCD_AUTH_TOKEN"}
    assert list(whole.environments.values()) == [
        Environment(name="local", servers={}),
        Environment(
            name="dev",
            namespace="dev-my-girok",
            kube_context="dev",
            argocd=ArgoCD(application="{service}-dev", **argocd),
            gitops=GitOps(repository=".", branch="main", push="direct"),
            values=Values(file="services/{service}/helm/values-dev.yaml", key="migrations.image"),
            servers={},
        ),
        Environment(
            name="prod",
            protected=True,
            after="dev",
            namespace="my-girok",
            kube_context="prod",
            argocd=ArgoCD(application="{service}-prod", **argocd),
            gitops=GitOps(repository=".", branch="main", push="pull-request"),
            values=Values(file="services/{service}/helm/values-prod.yaml", key="migrations.image"),
            servers={},
        ),
    ]


def test_a_service_with_one_database_gets_every_default(whole: Catalog) -> None:
    service = whole.services["auth-service"]
    assert service.folder == "services/auth-service"
    assert service.migration_job == "services/auth-service/helm/templates/migration-job.yaml"
    assert service.image == "registry.example.com/my-girok/auth-service-migrations"
    assert service.databases == (
        Database(
            service="auth-service",
            key="auth",
            engine="postgres",
            names={"local": "auth_service_auth", "dev": "girok_auth_dev", "prod": "girok_auth"},
            url_env={"dev": "AUTH_SERVICE_AUTH_DEV_URL", "prod": "AUTH_SERVICE_AUTH_PROD_URL"},
            migrations="services/auth-service/migrations",
            table="goose_db_version",
            job="auth-service-migrate",
            prisma="services/auth-service/prisma/schema.prisma",
        ),
    )


def test_a_service_with_several_databases_keeps_them_apart(whole: Catalog) -> None:
    identity, auth, legal = whole.services["identity-service"].databases
    assert isinstance(identity, Database)
    assert isinstance(auth, Database)
    assert (identity.migrations, auth.migrations) == (
        "services/identity-service/migrations/identity",
        "services/identity-service/migrations/auth",
    )
    assert (identity.job, auth.job) == ("identity-service-migrate-identity", "identity-service-migrate-auth")
    assert auth.names == {"local": "identity_service_auth", "dev": "auth_dev", "prod": "auth"}
    assert auth.prisma == "services/identity-service/prisma/auth/schema.prisma"
    assert legal == Reference(
        service="identity-service",
        key="legal",
        owner="legal-service/legal",
        prisma="services/identity-service/prisma/legal/schema.prisma",
    )
    assert whole.owner(legal) is whole.entry("legal-service", "legal")


def test_a_clickhouse_database_has_one_name_everywhere_and_no_prisma(whole: Catalog) -> None:
    audit, analytics = owned(whole, "audit-service/audit"), owned(whole, "analytics-service/analytics")
    assert audit.engine == "clickhouse"
    assert audit.names == {"local": "audit_db", "dev": "audit_db", "prod": "audit_db"}
    assert audit.prisma is None
    assert audit.purpose == "Compliance logging"
    assert audit.retention == Retention(min_days=5 * 365)
    assert audit.url_env["prod"] == "AUDIT_SERVICE_AUDIT_PROD_URL"
    assert analytics.retention == Retention(min_days=90, max_days=365)


def test_every_default_can_be_overridden(tmp_path: Path) -> None:
    catalog = load(
        made(
            tmp_path,
            """\
            version: 1
            root: .
            image: {repository: "example.com/{service}"}
            environments:
              local: {postgres: "postgresql:///postgres?host=/run/postgresql", clickhouse: "http://[::1]:8123"}
              dev: {}
              live: {}
            services:
              cart:
                folder: apps/cart
                image: {repository: "example.com:5000/shop/{service}-sql"}
                migration_job: charts/cart/job.yaml
                databases:
                  main:
                    engine: postgres
                    name: {local: my_cart, dev: cart-dev, live: cart}
                    url_env: {live: CART_URL}
                    migrations: db/cart
                    prisma: db/cart.prisma
                    table: cart.versions
                    job: migrate-cart
                  events: {engine: clickhouse, name: {local: ev, dev: ev_dev, live: ev}}
              order:
                databases: {cart: {owner: cart/main, prisma: order.prisma}, events: {owner: cart/events}}
            """,
        )
    )
    assert catalog.environments["local"].servers == {
        "postgres": "postgresql:///postgres?host=/run/postgresql",
        "clickhouse": "http://[::1]:8123",
    }
    cart = catalog.services["cart"]
    assert (cart.folder, cart.image, cart.migration_job) == (
        *("apps/cart", "example.com:5000/shop/cart-sql"),
        "charts/cart/job.yaml",
    )
    assert catalog.services["order"].image == "example.com/order"
    assert owned(catalog, "cart/main") == Database(
        service="cart",
        key="main",
        engine="postgres",
        names={"local": "my_cart", "dev": "cart-dev", "live": "cart"},
        url_env={"dev": "CART_MAIN_DEV_URL", "live": "CART_URL"},
        migrations="db/cart",
        table="cart.versions",
        job="migrate-cart",
        prisma="db/cart.prisma",
    )
    events = owned(catalog, "cart/events")
    assert (events.migrations, events.job) == ("apps/cart/migrations/events", "cart-migrate-events")
    assert [entry.prisma for entry in catalog.services["order"].databases] == ["order.prisma", None]


def test_one_name_of_a_postgres_database_leaves_the_local_default(tmp_path: Path) -> None:
    text = "version: 1\nenvironments: {dev: {}}\nservices: {c-d: {databases: {m_n: {engine: postgres, name: x}}}}\n"
    catalog = load(made(tmp_path, text))
    assert owned(catalog, "c-d/m_n").names == {"local": "c_d_m_n", "dev": "x"}
    assert owned(catalog, "c-d/m_n").url_env == {"dev": "C_D_M_N_DEV_URL"}


def test_a_postgres_database_that_is_local_alone_needs_no_name(tmp_path: Path) -> None:
    (tmp_path / "services" / "cart").mkdir(parents=True)
    (tmp_path / "services.yaml").write_text("version: 1\nservices: {cart: {databases: {main: {engine: postgres}}}}\n")
    (database,) = load(tmp_path / "services.yaml").databases()
    assert database.names == {"local": "cart_main"}


def test_without_environments_there_is_local_alone(tmp_path: Path) -> None:
    catalog = load(made(tmp_path, "version: 1\nservices: {c: {databases: {m: {engine: clickhouse, name: x}}}}\n"))
    assert catalog.environments == {"local": Environment(name="local", servers={})}
    assert owned(catalog, "c/m").names == {"local": "x"}
    assert owned(catalog, "c/m").url_env == {}
    assert catalog.services["c"].image == ""


@pytest.mark.parametrize(
    "two",
    [
        "{engine: postgres, name: shop, table: order_versions}",
        "{engine: clickhouse, name: shop}",
        "{engine: postgres, name: shop, url_env: {dev: OTHER_SERVER_URL}}",
    ],
    ids=["another table", "another engine", "another server"],
)
def test_one_name_may_be_two_databases(tmp_path: Path, two: str) -> None:
    load(
        made(
            tmp_path,
            f"""\
            version: 1
            environments: {{dev: {{}}}}
            services:
              cart: {{databases: {{main: {{engine: postgres, name: shop}}}}}}
              order: {{databases: {{main: {two}}}}}
            """,
        )
    )


def test_two_streams_of_one_database_share_its_variable(tmp_path: Path) -> None:
    load(
        made(
            tmp_path,
            """\
            version: 1
            environments: {dev: {}}
            services:
              cart: {databases: {main: {engine: postgres, name: shop, url_env: {dev: SHOP}}}}
              order: {databases: {main: {engine: postgres, name: shop, url_env: {dev: SHOP}, table: orders}}}
            """,
        )
    )


def test_the_project_s_own_file_loads(tmp_path: Path) -> None:
    catalog = load(made(tmp_path, (PROJECT / "services.yaml").read_text()))
    assert {database.engine for database in catalog.databases()} >= {"postgres"}
    assert isinstance(catalog.entry("identity-service", "legal"), Reference)


def test_the_root_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "services" / "cart").mkdir(parents=True)
    file = tmp_path / "config" / "services.yaml"
    file.parent.mkdir()
    file.write_text("version: 1\nroot: ..\nservices: {cart: {databases: {m: {engine: postgres, name: x}}}}\n")
    assert load(file).root == tmp_path


@pytest.mark.parametrize("root", ["loop", "x" * 5000, "services.yaml"])
def test_a_root_that_is_no_folder_is_one_mistake(tmp_path: Path, root: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    file = tmp_path / "services.yaml"
    file.write_text(
        f"version: 1\nroot: {root}\nservices: {{cart: {{databases: {{m: {{engine: postgres, name: x}}}}}}}}\n"
    )
    with pytest.raises(CatalogError, match="is not a folder") as caught:
        load(file)
    assert [(mistake.line, mistake.column) for mistake in caught.value.mistakes] == [(2, 7)]


def test_a_file_outside_the_current_folder_is_named_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "services.yaml").write_text("")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(CatalogError, match=r"^\.\./services\.yaml: one mistake"):
        load(Path("../services.yaml"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError, match=r"^services\.yaml: one mistake"):
        load(tmp_path / "services.yaml")


def test_a_message_reads_as_one_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError) as caught:
        load(Path("services.yaml"))
    assert str(caught.value).splitlines() == [
        "services.yaml: one mistake",
        "  services.yaml:1:1: there is no such file (SERVICES=PATH in the environment names another)",
        "  → correct the file, then run the command again",
    ]


@contextmanager
def plain_user() -> Iterator[None]:
    """Permissions do not bind root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_file_that_cannot_be_read_is_one_mistake(tmp_path: Path) -> None:
    file = made(tmp_path, WHOLE.read_text())
    file.chmod(0)
    with plain_user(), pytest.raises(CatalogError, match="one mistake") as caught:
        load(file)
    assert caught.value.mistakes[0].message == "the file cannot be read: Permission denied"


def test_what_is_no_file_is_one_mistake(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(LARGEST + 1)
    (tmp_path / "latin").write_bytes(b"\xef\xbb\xbfversion: 1\nroot: caf\xe9\n")
    said = {}
    for name in (".", "pipe", "loop", "big", "latin", "none/services.yaml", "latin/services.yaml"):
        with pytest.raises(CatalogError) as caught:
            load(tmp_path / name)
        (mistake,) = caught.value.mistakes
        said[name] = mistake.line, mistake.column, mistake.message
    assert said == {
        ".": (1, 1, "it is a folder"),
        "pipe": (1, 1, "it is not a file"),
        "loop": (1, 1, "the file cannot be read: Too many levels of symbolic links"),
        "big": (1, 1, "the file is larger than 5 MB"),
        "latin": (2, 10, "not UTF-8 text"),
        "none/services.yaml": (1, 1, "there is no such file"),
        "latin/services.yaml": (1, 1, "the file cannot be read: Not a directory"),
    }


def test_a_service_is_no_link(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / "inside").mkdir(parents=True)
    (tmp_path / "outside" / "order").mkdir(parents=True)
    for name, target in (("cart", "../inside"), ("stock", "../../outside"), ("gone", "../nowhere")):
        (root / "services").mkdir(exist_ok=True)
        (root / "services" / name).symlink_to(target)
    (root / "apps").symlink_to("../outside")
    (root / "services" / "file").write_text("")
    file = root / "services.yaml"
    entries = {"cart": "", "stock": "", "order": "folder: apps/order, ", "gone": "", "file": ""}
    services = [
        f"  {name}: {{{at}databases: {{{name}: {{engine: postgres, name: {name}}}}}}}" for name, at in entries.items()
    ]
    file.write_text("\n".join(["version: 1", "services:", *services]))
    with pytest.raises(CatalogError) as caught:
        load(file)
    assert [(mistake.line, mistake.message) for mistake in caught.value.mistakes] == [
        (3, "`services/cart` leads to `inside` by a symbolic link, and git sees no file behind one"),
        (4, "`services/stock` leads out of the root by a symbolic link"),
        (5, "`apps/order` leads out of the root by a symbolic link"),
        (6, "there is no folder `services/gone`"),
        (7, "`services/file` is not a folder"),
    ]
    assert caught.value.mistakes[0].hint == "give `folder: inside`"


@pytest.mark.parametrize("folder", ["services/cart", "./services//cart", "services/cart/"])
def test_a_folder_may_be_written_in_any_way_and_the_root_may_be_reached_by_a_link(tmp_path: Path, folder: str) -> None:
    (tmp_path / "repo" / "services" / "cart").mkdir(parents=True)
    (tmp_path / "link").symlink_to("repo")
    file = tmp_path / "link" / "services.yaml"
    entry = f"{{folder: {folder}, databases: {{m: {{engine: postgres, name: x}}}}}}"
    file.write_text(f"version: 1\nservices: {{cart: {entry}}}\n")
    assert load(file).services["cart"].folder


def test_a_kept_document_gives_the_same_catalog(tmp_path: Path) -> None:
    file, cache = made(tmp_path, WHOLE.read_text()), tmp_path / "catalog"
    first = load(file, cache)
    kept = cache.read_bytes()
    assert load(file, cache) == first == load(file)
    assert cache.read_bytes() == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalog", "services", "services.yaml"]


@pytest.mark.parametrize("damage", [b"", b"\x00\xff", b"half", b"other\n{}"])
def test_a_damaged_cache_is_written_anew(tmp_path: Path, damage: bytes) -> None:
    file, cache = made(tmp_path, WHOLE.read_text()), tmp_path / "catalog"
    first = load(file, cache)
    kept = cache.read_bytes()
    cache.write_bytes(kept[:-20] if damage == b"half" else damage)
    assert load(file, cache) == first
    assert cache.read_bytes() == kept


def test_a_changed_file_is_checked_again(tmp_path: Path) -> None:
    file, cache = made(tmp_path, WHOLE.read_text()), tmp_path / "catalog"
    load(file, cache)
    file.write_text(file.read_text().replace("engine: clickhouse", "engine: clickhose", 1))
    with pytest.raises(CatalogError, match="did you mean `clickhouse`"):
        load(file, cache)


def test_folders_are_looked_at_whatever_is_kept(tmp_path: Path) -> None:
    file, cache = made(tmp_path, WHOLE.read_text()), tmp_path / "catalog"
    load(file, cache)
    (tmp_path / "services" / "audit-service").rmdir()
    with pytest.raises(CatalogError) as caught:
        load(file, cache)
    lines = file.read_text().splitlines()
    assert [lines[mistake.line - 1].strip() for mistake in caught.value.mistakes] == ["audit-service:"]


def test_a_password_is_kept_nowhere(tmp_path: Path) -> None:
    text = WHOLE.read_text().replace("local: {}", 'local: {postgres: "postgres://me:hunter2@localhost/x"}')
    cache = tmp_path / "catalog"
    catalog = load(made(tmp_path, text), cache)
    assert catalog.environments["local"].servers["postgres"].endswith("@localhost/x")
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    file = made(tmp_path, WHOLE.read_text())
    assert load(file, tmp_path / "none" / "catalog") == load(file)
    assert not (tmp_path / "none").exists()


def test_a_warm_load_imports_neither_yaml_nor_jsonschema(tmp_path: Path) -> None:
    file, cache = made(tmp_path, WHOLE.read_text()), tmp_path / "catalog"
    load(file, cache)
    code = (
        "import sys; from pathlib import Path; from schemas.catalog_file import load; "
        f"load(Path({str(file)!r}), Path({str(cache)!r})); "
        "print(sorted({'yaml', 'jsonschema', 'difflib', 'schemas.catalog_checks'} & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "[]\n"


def test_what_lint_is_told_is_loaded_with_its_paths_made_plain(tmp_path: Path) -> None:
    text = """
    version: 1
    services: {cart: {databases: {main: {engine: postgres, name: cart}}}}
    lint:
      severity: {GS09: off, GS20: {services/cart/: error, services/cart/old: off}}
      allow: [{rule: PR05, path: ./package.json, reason: it moves, until: 2027-03-01}]
    """
    lint = load(made(tmp_path, text)).lint
    assert lint.allow == (Allowed(rule="PR05", path="package.json", reason="it moves", until="2027-03-01"),)
    levels = {
        path: lint.level("GS20", path) for path in ("services/cart/a.sql", "services/cart/old/a", "services/carts")
    }
    assert levels == {"services/cart/a.sql": "error", "services/cart/old/a": "off", "services/carts": None}
    assert (lint.level("GS09", "a"), lint.level("GS01", "a")) == ("off", None)
    assert load(made(tmp_path, text[: text.index("lint:")])).lint == Lint()
