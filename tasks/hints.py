"""What to do about a database's refusal: the policy's troubleshooting table, and what else people meet."""

from __future__ import annotations

import re
from dataclasses import dataclass

from schemas.catalog import EngineName

__all__ = ["HINTS", "SERVER_LOST", "Hint", "hint"]

SERVER_LOST = "the server went away while it worked; run the same command again: it looks at what was applied first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Advice for an error of an engine, known by its codes (SQLSTATE, ClickHouse number) or by words of its message."""

    engine: EngineName
    advice: str
    codes: tuple[str, ...] = ()
    words: str = ""  # regular expression, found anywhere in the message; with codes: both must fit


def hint(engine: EngineName, code: str, message: str) -> str:
    """The first advice that fits; empty when there is none."""
    for candidate in HINTS:
        fits_code = not candidate.codes or code in candidate.codes
        if candidate.engine == engine and fits_code and re.search(candidate.words, message, re.IGNORECASE):
            return candidate.advice
    return ""


# Codes: PostgreSQL 16 documentation, appendix A; tests/tasks/cases/hints.yaml raises them on a real server.
HINTS = (
    Hint(
        engine="postgres",
        codes=("42804",),
        words="foreign key",
        advice="use TEXT, not UUID, for foreign keys: a column must have the type of the id that it refers to",
    ),
    Hint(
        engine="postgres",
        codes=("42601",),
        words="unterminated dollar-quoted string",
        advice="add `-- +goose StatementBegin` before the function and `-- +goose StatementEnd` after it:"
        " goose ends a statement at each `;` at the end of a line",
    ),
    Hint(
        engine="postgres",
        codes=("42601",),
        words="unterminated quoted|syntax error at end of input",
        advice="a `;` at the end of a line inside a string or a body ends the statement for goose:"
        " put it between `-- +goose StatementBegin` and `-- +goose StatementEnd`",
    ),
    Hint(
        engine="postgres",
        words=r"\bP(2021|2022|3005)\b|drift detected|_prisma_migrations",
        advice="Prisma drift: pull the schema again, `pnpm prisma db pull && pnpm prisma generate` in the service;"
        " only goose changes a database (never `prisma migrate` or `prisma db push`)",
    ),
    Hint(
        engine="postgres",
        codes=("42P17",),
        words="immutable",
        advice="an index can hold only what never changes: leave NOW() and other volatile functions out of its"
        " expression and WHERE, and compare with the clock in the query",
    ),
    Hint(
        engine="postgres",
        codes=("42P01", "3F000"),
        advice="no file of this stream makes it before this one: if it was made by hand or by Prisma before the first"
        " migration, `doit baseline:SERVICE@ENVIRONMENT` writes what was there, and `baseline:` in services.yaml names"
        " it",
    ),
    Hint(
        engine="postgres",
        codes=("42P07", "42710", "42701", "42723", "42P06"),
        advice="it exists already: made by an earlier file, by hand, or by an earlier run of this file that stopped"
        " half-way (only a NO TRANSACTION file can)",
    ),
    Hint(
        engine="postgres",
        codes=("25001",),
        advice="put `-- +goose NO TRANSACTION` on the file's first line, and this statement alone into the file",
    ),
    Hint(
        engine="postgres",
        codes=("55P04",),
        advice="a new enum value can be used only after its transaction: add the value in one file, use it in the next",
    ),
    Hint(
        engine="postgres",
        codes=("55P03",),
        advice="another session holds the table: end it, or run again when it is done (lock_timeout did its duty)",
    ),
    Hint(
        engine="postgres",
        codes=("57014",),
        advice="it ran longer than statement_timeout allows: do it in smaller parts, or raise the limit in this file"
        " with SET LOCAL statement_timeout",
    ),
    Hint(
        engine="postgres",
        codes=("23505",),
        advice="rows that are there already are not unique: find them and mend them in a migration before this one",
    ),
    Hint(
        engine="postgres",
        codes=("23502", "23514", "23503"),
        advice="rows that are there already break the new rule: mend them first, or add the constraint NOT VALID"
        " and validate it in a later file",
    ),
    Hint(
        engine="postgres",
        codes=("42883", "42704"),
        words="uuid_generate|citext|gen_salt|digest|similarity|gin_trgm_ops|hstore|ltree",
        advice="it belongs to an extension: CREATE EXTENSION IF NOT EXISTS in an earlier file",
    ),
    Hint(
        engine="postgres",
        codes=("0A000", "58P01"),
        words="extension",
        advice="this server lacks the extension's files; the embedded one brings PostgreSQL's own contrib extensions:"
        " for others set environments.local.postgres to a server that has it",
    ),
    Hint(
        engine="postgres",
        codes=("42501",),
        advice="the role of the URL may not do this: grant it, or use the role that owns the database",
    ),
    Hint(
        engine="postgres",
        codes=("53100",),
        advice="the disk is full: make room, then run the same command again; what was not applied was rolled back",
    ),
    Hint(
        engine="postgres",
        codes=("57P01", "57P02", "57P03", "08006", "08003"),
        advice=SERVER_LOST,
    ),
    # ClickHouse: the codes of src/Common/ErrorCodes.cpp (26.9)
    Hint(
        engine="clickhouse",
        codes=("701", "170"),
        words="cluster",
        advice="check the cluster and replica configuration: the server knows no cluster of this name in its"
        " remote_servers",
    ),
    Hint(
        engine="clickhouse",
        codes=("225",),
        advice="check the cluster and replica configuration: a Replicated engine needs ZooKeeper or ClickHouse Keeper,"
        " and this server is connected to none",
    ),
    Hint(
        engine="clickhouse",
        codes=("253",),
        advice="check the cluster and replica configuration: a table with this ZooKeeper path and replica name exists;"
        " two tables share a path, or one that was dropped without SYNC is still there",
    ),
    Hint(
        engine="clickhouse",
        codes=("242", "999"),
        advice="check the cluster and replica configuration: the table has lost its connection to Keeper, or Keeper"
        " itself is not well",
    ),
    Hint(
        engine="clickhouse",
        codes=("279",),
        advice="check the cluster and replica configuration: no replica that the cluster names could be reached",
    ),
    Hint(
        engine="clickhouse",
        codes=("392",),
        advice="check the cluster and replica configuration: this server runs no statements ON CLUSTER",
    ),
    Hint(
        engine="clickhouse",
        codes=("80",),
        words="cluster|replicated",
        advice="check the cluster and replica configuration: a database with the engine Replicated sends statements to"
        " its replicas itself: leave ON CLUSTER out there",
    ),
    Hint(
        engine="clickhouse",
        codes=("62",),
        words="multi-statement",
        advice="two statements in one block: ClickHouse takes one at a time, so put each between its own"
        " `-- +goose StatementBegin` and `-- +goose StatementEnd`",
    ),
    Hint(
        engine="clickhouse",
        codes=("62",),
        words="is not closed",
        advice="a `;` at the end of a line inside a string ends the statement for goose: put the statement between"
        " `-- +goose StatementBegin` and `-- +goose StatementEnd`",
    ),
    Hint(
        engine="clickhouse",
        codes=("62",),
        words="at ON(?!\\w)",
        advice="check the cluster and replica configuration: ON CLUSTER stands right after the object's name",
    ),
    Hint(
        engine="clickhouse",
        codes=("497", "511", "514", "495"),
        words="^gander: |user directories|readonly",
        advice="the embedded server keeps no users, roles, rights, row policies, quotas or settings profiles: this"
        " cannot run there, and a local run proves nothing about it; leave it to the configuration of the servers, or"
        " name a whole server as environments.local.clickhouse",
    ),
    Hint(
        engine="clickhouse",
        codes=("497",),
        advice="the user of the URL may not do this: grant it, or use a user who may",
    ),
    Hint(
        engine="clickhouse",
        words=r"^Shutdown was called|in clickhouse-local|^KeeperMap is disabled|backups\.allowed"
        r"|table engine (RabbitMQ|NATS|MaterializedPostgreSQL|S3Queue|AzureQueue)\b",
        advice="the embedded server has no Kafka, RabbitMQ, NATS, Keeper or backups: this cannot run there, and a local"
        " run proves nothing about it; name a whole server as environments.local.clickhouse",
    ),
    Hint(
        engine="clickhouse",
        codes=("57", "15"),
        advice="it exists already: write CREATE … IF NOT EXISTS and ADD COLUMN IF NOT EXISTS, so that a file which"
        " stopped half-way can run again",
    ),
    Hint(
        engine="clickhouse",
        codes=("60", "81"),
        advice="no file of this stream makes it before this one: name it with its database, and create it in an"
        " earlier file; if it was there before the first migration, `doit baseline:SERVICE@ENVIRONMENT` writes what was"
        " there, and `baseline:` in services.yaml names it",
    ),
    Hint(
        engine="clickhouse",
        codes=("44",),
        words="nullable|key",
        advice="a column of a sorting or partition key cannot be Nullable: leave Nullable out, and use a default value",
    ),
    Hint(
        engine="clickhouse",
        codes=("36", "524"),
        advice="an argument does not fit: keys cannot be changed by ALTER, and an engine takes only its own arguments",
    ),
    Hint(
        engine="clickhouse",
        codes=("48",),
        advice="this server's version or engine cannot do that: compare it with the version that runs in production",
    ),
    Hint(
        engine="clickhouse",
        codes=("517",),
        advice="an earlier ALTER of the table is still at work: let each ALTER wait with SETTINGS alter_sync = 2"
        " (mutations_sync = 2), then run again",
    ),
)
