"""Which statements one embedded server cannot run, and why: told by their words, before they are tried."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.clickhouse.clauses import Engine, engines, head, unread
from tools.clickhouse.tokens import Token, word

__all__ = ["LIMITS", "STATEMENTS", "TABLE_ENGINES", "obstacle"]

LIMITS = (
    "cannot run: access control (users, roles, rights, row policies, quotas, settings profiles)",
    "cannot run: Kafka, RabbitMQ, NATS, KeeperMap, S3Queue, Replicated databases, backups",
    "not proved: replication, ZooKeeper paths, the queue of ON CLUSTER statements and its timeouts, several shards",
)
"""What an embedded server leaves open, for people."""

ACCESS = "access control: the embedded server keeps no users, roles, rights, row policies, quotas or settings profiles"
REPLICAS = "a command to replicas: there is one server, and its tables are not replicated"

STATEMENTS = {
    r"(CREATE|ALTER|DROP|MOVE) (USER|ROLE|(ROW |MASKING )?POLICY|QUOTA|(SETTINGS )?PROFILE)\b": ACCESS,
    r"(GRANT|REVOKE|CHECK GRANT|SET (DEFAULT )?ROLE)\b": ACCESS,
    r"SYSTEM (SYNC|RESTORE|DROP|RESTART) (DATABASE )?REPLICAS?\b": REPLICAS,
    r"(ATTACH|CREATE) TABLE .*\bAS (NOT )?REPLICATED\b": REPLICAS,
    r"ALTER TABLE .*\bFETCH (PART|PARTITION)\b": REPLICAS,
    r"SYSTEM RELOAD CONFIG\b": "the embedded server cannot read its configuration again",
    r"(BACKUP|RESTORE) ": "the embedded server has no place for backups",
}
"""Patterns of a statement's keywords -> why it cannot run."""

KEEPER = "the engine keeps its state in ZooKeeper, and the embedded server has none"
ABSENT = "the engine is not part of the embedded server"
CLOUD = "the engine exists in ClickHouse Cloud alone"

TABLE_ENGINES = {
    r"Kafka": "the embedded server cannot consume from Kafka",
    r"RabbitMQ|NATS|MaterializedPostgreSQL": ABSENT,
    r"KeeperMap|S3Queue|AzureQueue": KEEPER,
    r"Shared(\w*MergeTree)?": CLOUD,
    r"Replicated": "a Replicated database keeps its tables in ZooKeeper, and the embedded server has none",
}
"""Patterns of an engine's name -> why it cannot be used."""

UNREAD = (
    "the ZooKeeper path and the replica of {} are no plain strings, so they cannot be told from its other arguments;"
    " write them as two strings"
)


def obstacle(text: bytes, tokens: Sequence[Token]) -> str:
    """Why an embedded server cannot run this statement; empty when nothing is known against it."""
    words = " ".join(word(text, token) or "_" for token in head(text, tokens))
    for pattern, reason in STATEMENTS.items():
        if re.match(pattern, words):
            return reason
    return next(filter(None, map(_of_engine, engines(text, tokens))), "")


def _of_engine(engine: Engine) -> str:
    if unread(engine):
        return UNREAD.format(engine.name)
    return next((reason for pattern, reason in TABLE_ENGINES.items() if re.fullmatch(pattern, engine.name)), "")
