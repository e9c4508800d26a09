"""`doit prisma` as it is typed: pulled from the real database by the real Prisma, and used by a real client."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults.mounts import read_only
from tests.journeys.conftest import Monorepo, counts, ran
from tools import toolchain

USE = """
import { createRequire } from "node:module";
const require = createRequire(process.argv[2]);
const { PrismaClient } = require("@prisma/client");
const { PrismaPg } = require("@prisma/adapter-pg");
const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }) });
const email = "a@example.com";
await client.users.create({ data: { email, email_normalized: email, user_preferences: { create: {} } } });
const found = await client.users.findMany({ include: { user_preferences: true } });
console.log(found.length, found[0].user_preferences.length, found[0].id.length);
await client.$disconnect();
"""


def put(monorepo: Monorepo, service: str, text: str) -> Path:
    path = monorepo.root / "services" / service / "prisma" / "schema.prisma"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_committed_schemas_of_the_example_are_what_its_migrations_build(example: Monorepo) -> None:
    done = example.fine("prisma", "frozen=true")
    assert len(ran(done)) == 6
    who = f"the pinned Prisma {toolchain.pinned_prisma()} (the monorepo's own is not installed: install with"
    assert done.stderr.count(f"unchanged by {who}") == 6
    assert done.stderr.count("; no client generated") == 6
    assert "trigger: " in done.stderr
    again = example.fine("prisma")
    assert counts(again)[0] == 0
    text = (example.root / "services" / "auth-service" / "prisma" / "schema.prisma").read_text()
    assert "goose" not in text
    assert (
        'output   = "../generated/legal"'
        in (example.root / "services" / "identity-service" / "prisma" / "legal" / "schema.prisma").read_text()
    )


def test_a_new_column_is_pulled_and_what_people_wrote_is_kept(example: Monorepo) -> None:
    path = example.root / "services" / "auth-service" / "prisma" / "schema.prisma"
    kept = path.read_text().replace("model users {", "/// who signs in\nmodel User {").replace(" users ", " User ")
    kept = kept.replace(" users?", " User?")
    start = kept.index("model User {")
    end = kept.index("\n}", start)
    path.write_text(kept[:end] + '\n\n  @@map("users")' + kept[end:])
    example.write("auth-service", "20270101000000_nick.sql", "ALTER TABLE users ADD COLUMN nick TEXT;", "SELECT 1;")
    refused = example.doit("prisma:auth-service", CI="true")
    assert refused.returncode == 1
    assert "+  nick" in refused.stderr
    assert "→ doit prisma:auth-service/auth" in refused.stderr
    done = example.fine("prisma:auth-service")
    assert "pulled by " in done.stderr
    text = path.read_text()
    assert "/// who signs in\nmodel User {" in text
    assert "  nick " in text
    before = path.read_bytes()
    example.fine("-a", "prisma:auth-service")
    assert path.read_bytes() == before
    example.fine("reset:auth-service", "yes=auth-service")
    assert "prisma:auth-service/auth" in ran(example.fine("prisma:auth-service"))
    assert path.read_bytes() == before


def test_comments_that_a_pull_would_drop_are_refused_with_their_lines(example: Monorepo) -> None:
    path = example.root / "services" / "auth-service" / "prisma" / "schema.prisma"
    path.write_text(path.read_text().replace("model users {", "// who signs in\nmodel users {"))
    refused = example.doit("prisma:auth-service")
    assert refused.returncode == 1
    assert "a pull would drop these comments" in refused.stderr
    assert "// who signs in" in refused.stderr
    assert "// who signs in" in path.read_text()
    example.fine("prisma:auth-service", "force=true")
    assert "// who signs in" not in path.read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [("model {{{\n", "prisma db pull failed"), ("", "prisma db pull failed")],
)
def test_a_broken_schema_is_one_clear_error_and_stays_as_it_is(text: str, says: str, example: Monorepo) -> None:
    path = put(example, "auth-service", text)
    refused = example.doit("prisma:auth-service")
    assert refused.returncode == 1
    assert says in refused.stderr
    assert "services/auth-service/prisma/schema.prisma" in refused.stderr
    assert "→ correct what Prisma names" in refused.stderr
    assert path.read_text() == text
    assert not re.search("postgres://|/pull/|--force|Introspecting", refused.stderr)


def test_a_database_that_is_not_at_head_is_not_pulled(example: Monorepo) -> None:
    example.write("auth-service", "20270101000000_nick.sql", "ALTER TABLE users ADD COLUMN nick TEXT;", "SELECT 1;")
    refused = example.doit("-s", "prisma:auth-service")
    assert refused.returncode == 1
    assert "is not at head, so its schema is not the one to pull" in refused.stderr


def test_clickhouse_has_no_prisma(example: Monorepo) -> None:
    assert "there is no service `audit-service`" in example.doit("prisma:audit-service").stderr


def test_a_client_is_generated_by_the_monorepos_own_prisma_and_queries(example: Monorepo) -> None:
    modules = example.root / "services" / "auth-service" / "node_modules"
    subprocess.run(["/bin/cp", "-a", str(toolchain.prisma(print) / "node_modules"), str(modules)], check=True)
    done = example.fine("prisma:auth-service")
    assert "; client generated by the monorepo's Prisma 6.19.3" in done.stderr
    url = example.urls()["auth-service/auth"]
    script = example.root / "use.mjs"
    script.write_text(USE)
    node = toolchain.node(print)
    used = subprocess.run(
        [str(node), str(script), str(modules.parent / "package.json")],
        env={"DATABASE_URL": url, "PATH": os.environ["PATH"], "PRISMA_CLIENT_ENGINE_TYPE": "client"},
        capture_output=True,
        text=True,
        check=False,
    )
    example.fine("stop")
    shutil.rmtree(modules)
    assert used.stdout == "1 1 36\n", used.stderr


def test_a_service_without_a_schema_is_left_alone_until_it_is_asked_for_one(example: Monorepo) -> None:
    path = example.root / "services" / "auth-service" / "prisma" / "schema.prisma"
    path.unlink()
    for variables in ({}, {"CI": "true"}):
        assert (
            "up to date: there is no schema.prisma to pull into"
            in example.fine("prisma:auth-service", **variables).stderr
        )
    assert not path.exists()
    example.fine("prisma:auth-service", "force=true")
    assert 'env("DATABASE_URL")' in path.read_text()


def test_a_machine_without_nodejs_is_told_to_get_it(example: Monorepo, tmp_path: Path) -> None:
    programs, tools = tmp_path / "bin", tmp_path / "tools"
    for folder, sources, left_out in (
        (programs, map(Path, os.environ["PATH"].split(os.pathsep)), ("node", "npm", "npx", "corepack")),
        (tools, [Path(example.environment["GANDER_TOOLS"])], ("node-",)),
    ):
        folder.mkdir()
        for path in (path for source in sources if source.is_dir() for path in source.iterdir()):
            if not path.name.startswith(left_out) and not (folder / path.name).is_symlink():
                (folder / path.name).symlink_to(path)
    example.fine("start")  # what PostgreSQL is made of is not asked for then
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    done = example.doit("prisma:auth-service", PATH=str(programs), GANDER_TOOLS=str(tools), **nowhere)
    assert done.returncode == 1
    assert "this machine has no Node.js 18 or newer with its npm, and installing one failed" in done.stderr
    assert "→ install Node.js with npm\n" in done.stderr
    assert "1 failed" in done.stderr


def test_a_schema_that_cannot_be_written_is_told_and_stays_as_it_is(example: Monorepo) -> None:
    path = example.root / "services" / "auth-service" / "prisma" / "schema.prisma"
    before = path.read_text()
    example.write("auth-service", "20270101000000_nick.sql", "ALTER TABLE users ADD COLUMN nick TEXT;", "SELECT 1;")
    with read_only(path.parent):
        done = example.doit("prisma:auth-service")
    assert done.returncode == 1
    assert re.search(
        r"services/auth-service/prisma/schema.prisma: the file cannot be written: (Read|Perm)", done.stderr
    )
    assert f"→ make {path.parent} a folder of yours" in done.stderr
    assert path.read_text() == before
    assert [one.name for one in path.parent.iterdir()] == ["schema.prisma"]
