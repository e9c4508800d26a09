"""Names, patterns and references: which targets a word brings up, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.conftest import Monorepo

from tests.journeys.conftest import copied, counts, ran


@pytest.fixture(scope="module")
def bare(migrated: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The example with a server that has none of its databases yet."""
    monorepo = copied(migrated, tmp_path_factory.mktemp("bare") / "monorepo")
    names = "SELECT datname FROM pg_database WHERE datname ~ '_service_' AND datname <> 'auth_service_auth'"
    for (name,) in monorepo.sql("auth-service/auth", names):
        monorepo.sql("auth-service/auth", f"DROP DATABASE {name}")
    monorepo.stop()
    return monorepo


@pytest.fixture
def monorepo(bare: Monorepo, tmp_path: Path) -> Monorepo:
    """A copy of it, where only auth-service's database exists."""
    return copied(bare, tmp_path / "monorepo")


def test_a_service_brings_its_references_owner_up_first(monorepo: Monorepo) -> None:
    alone = monorepo.doit("-s", "migrate:identity-service/legal")
    assert alone.returncode == 1
    assert "identity-service/legal refers to legal-service/legal, which is not at head" in alone.stderr
    assert "→ doit migrate:legal-service/legal" in alone.stderr

    done = monorepo.fine("migrate:identity-service/legal")
    assert ran(done) == ["migrate:legal-service/legal"]
    assert counts(done) == (1, 1, 0)
    lines = done.stderr.splitlines()
    owner = next(n for n, line in enumerate(lines) if line.startswith("✓ migrate:legal-service/legal"))
    reference = next(n for n, line in enumerate(lines) if line.startswith("· migrate:identity-service/legal"))
    assert owner < reference
    assert counts(monorepo.fine("-s", "migrate:identity-service/legal")) == (0, 1, 0)

    whole = monorepo.fine("migrate:identity-service")
    assert sorted(ran(whole)) == ["migrate:identity-service/auth", "migrate:identity-service/identity"]
    assert "personal-service" not in whole.stderr
    assert "no database personal_service_personal yet" in monorepo.doit("status").stdout
    through = monorepo.fine("status:identity-service").stdout
    assert "identity-service/legal     through legal-service/legal: at head, 6 files applied" in through
    for operation in ("reset", "rollback"):
        refused = monorepo.doit(f"{operation}:identity-service/legal")
        assert refused.returncode == 1
        assert f"→ doit {operation}:legal-service/legal" in refused.stderr


@pytest.mark.parametrize(
    ("word", "targets"),
    [
        ("migrate:*-service/auth", ["auth-service/auth", "identity-service/auth"]),
        ("migrate:*/identity", ["identity-service/identity"]),
        ("migrate:p*", ["personal-service/personal"]),
        ("mig*:legal-service", ["legal-service/legal"]),
        ("migrate:personal-service@local", ["personal-service/personal"]),
        (
            "migrate:identity-service/*",
            ["identity-service/identity", "identity-service/auth", "identity-service/legal"],
        ),
    ],
)
def test_patterns_name_targets(migrated: Monorepo, word: str, targets: list[str]) -> None:
    listed = migrated.fine("list", word).stdout.split()
    assert listed == [f"migrate:{target}" for target in targets]
    done = migrated.fine(word)
    assert all(f"· migrate:{target} " in done.stderr for target in targets)
    assert counts(done)[0] == 0


@pytest.mark.parametrize(
    ("word", "code", "says"),
    [
        ("migrate:auth-servce", 3, "there is no service `auth-servce` — did you mean `auth-service`?"),
        ("migrate:identity-service/identty", 3, "`identity`"),
        ("migrate:*-api", 3, "no service matches `*-api`"),
        ("migrat:auth-service", 3, "`migrate`"),
        ("migrate:auth-service@prd", 3, "`prod`"),
        ("migrate:auth-service@prod", 1, "→ doit deploy:auth-service@prod"),
        ("reset:auth-service@dev", 1, "reset works on local databases only"),
        ("rollback:auth-service@prod", 1, "→ doit status:auth-service@prod"),
        ("migrate:a/b/c", 3, "is not a name"),
        ("migrate:", 3, "is not a name"),
        ("migrate:/auth", 3, "is not a name"),
        ("migrate:auth-service@", 3, "is not a name"),
        ("migrate:*auth*/../x", 3, "is not a name"),
        (" ", 3, "an empty word names nothing"),
        ("fromat=json", 3, "`format`"),
        ("migrate::auth", 3, "is not a name"),
        ("deplo:auth-service@prod", 3, "there is no step or operation `deplo` — did you mean `deploy`?"),
        ("doctor:auth-service", 3, "doctor takes no service"),
        ("version=1", 3, "takes no variable `version`"),
        ("to=1", 3, "takes no variable `to`"),
    ],
)
def test_words_that_name_nothing_get_one_answer(migrated: Monorepo, word: str, code: int, says: str) -> None:
    before = migrated.control()
    done = migrated.doit(word)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert done.stdout == ""
    assert migrated.control() == before
