"""What a services.yaml says: the whole example, each default, and what may be said otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.catalog import Allowed, ArgoCD, Catalog, Database, Environment, GitOps, Lint, Reference, Retention, Values
from schemas.catalog_file import load
from tests.schemas.catalogs import PROJECT, WHOLE, made


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
