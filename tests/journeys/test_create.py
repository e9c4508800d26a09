"""New migrations from the policy's templates, applied as they are, down and up again on real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.clickhouse import CREATE, clickhouse
from tests.journeys.conftest import Make, Monorepo

POSTGRES = (
    ("name=add_devices",),
    ("name=add_nickname_to_users", "like=column"),
    ("name=index_users_by_created_at", "like=index"),
    ("name=add_device_state", "like=enum"),
    ("name=add_plain", "table=plain"),
)
POSTGRES_ONE_WAY = (
    ("name=backfill_nickname_of_users", "like=backfill"),
    ("name=drop_old", "like=irreversible", "table=users", "column=nickname"),
)
CLICKHOUSE = (
    ("name=add_clicks",),
    ("name=add_page_to_clicks", "like=column"),
    ("name=index_clicks_by_name", "like=index"),
)
CLICKHOUSE_ONE_WAY = (("name=drop_page_from_clicks", "like=irreversible"),)


def test_each_postgres_template_goes_up_down_and_up(example: Monorepo) -> None:
    made = up_down_and_up(example, "auth-service", POSTGRES, POSTGRES_ONE_WAY)
    assert "REFERENCES users(id) ON DELETE CASCADE" in (example.root / made[0]).read_text()


def test_a_function_is_made_with_its_trigger_and_the_next_time_only_the_trigger(make: Make) -> None:
    columns = "id TEXT PRIMARY KEY, updated_at TIMESTAMPTZ(6)"
    first = (
        f"-- +goose Up\nCREATE TABLE a ({columns});\nCREATE TABLE b ({columns});\n-- +goose Down\nDROP TABLE a, b;\n"
    )
    monorepo = make({"shop": {"00001_a.sql": first}})
    words = (("name=touch_rows_of_a", "like=function"), ("name=touch_rows_of_b", "like=function"))
    made = up_down_and_up(monorepo, "shop", words, ())
    assert [Path(name).name for name in made] == ["00002_touch_rows_of_a.sql", "00003_touch_rows_of_b.sql"]
    assert ["CREATE OR REPLACE FUNCTION" in (monorepo.root / name).read_text() for name in made] == [True, False]


def test_each_clickhouse_template_goes_up_down_and_up(tmp_path: Path) -> None:
    files = {"20260101000000_create_seen.sql": CREATE.format(db="seen_db", table="seen")}
    monorepo = clickhouse(
        tmp_path, {"log": files}, names={"log": "seen_db"}, more={"retention": {"min": "90d", "max": "1y"}}
    )
    made = up_down_and_up(monorepo, "log", CLICKHOUSE, CLICKHOUSE_ONE_WAY)
    text = (monorepo.root / made[0]).read_text()
    assert "CREATE TABLE IF NOT EXISTS seen_db.clicks ON CLUSTER 'my_cluster' (" in text
    assert "TTL toDateTime(timestamp) + INTERVAL 90 DAY" in text


Words = tuple[tuple[str, ...], ...]


def up_down_and_up(monorepo: Monorepo, service: str, words: Words, one_way: Words) -> list[str]:
    """Create files and take them up, down and up; then those that have no way back; return the paths as printed."""
    newest = max(file.name for file in monorepo.folder(service).glob("*.sql")).partition("_")[0]
    made = [monorepo.fine(f"create:{service}", *one).stdout.strip() for one in words]
    assert made == sorted(made)
    monorepo.fine("start")
    monorepo.fine(f"migrate:{service}")
    monorepo.fine(f"rollback:{service}", f"to={int(newest)}", f"yes={service}")
    made += [monorepo.fine(f"create:{service}", *one).stdout.strip() for one in one_way]
    monorepo.fine(f"migrate:{service}")
    assert monorepo.doit(f"status:{service}").returncode == 0
    monorepo.fine("stop")
    return made


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("create:identity-service", "name=x"), "→ doit create:identity-service/auth"),
        (("create:identity-service/legal", "name=x"), "→ doit create:legal-service/legal"),
        (("create:auth-service", "name=add users"), "→ doit create:auth-service/auth name=add_users"),
        (("create:auth-service", "name=../a/b"), "→ doit create:auth-service/auth name=a_b"),
        (("create:auth-service", "name=---"), "→ doit create:auth-service/auth name=add_user_preferences"),
        (("create:auth-service", "name=ünï_Größe"), "→ doit create:auth-service/auth name=uni_grosse"),
        (("create:auth-service", f"name={'a' * 300}"), "it has 300 characters, and 100 are the most"),
        (("create:auth-service", "name="), "→ give name=add_user_preferences"),
        (("create:auth-service@dev", "name=x"), "create is about files"),
        (("create:auth-service", "name=x", "like=tabel"), "like does not take `tabel`"),
        (("create:auth-service", "name=x", "editor=true"), "no editor is named"),
    ],
)
def test_a_wrong_word_is_one_clear_error(words: tuple[str, ...], says: str, migrated: Monorepo) -> None:
    before = sorted(migrated.root.rglob("*.sql"))
    done = migrated.doit(*words, EDITOR="", VISUAL="")
    assert done.returncode in {1, 3}
    assert says in done.stderr
    assert sorted(migrated.root.rglob("*.sql")) == before


def test_a_folder_that_cannot_be_written_is_told(example: Monorepo) -> None:
    example.folder("auth-service").chmod(0o500)
    done = example.bound_by_modes.doit("create:auth-service", "name=x")
    example.folder("auth-service").chmod(0o700)
    assert done.returncode == 1
    assert "the file cannot be written: Permission denied" in done.stderr
