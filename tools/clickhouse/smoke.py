"""Whether a launched server does all that we rely on, which the package that it comes from does not promise."""

from __future__ import annotations

import socket

from schemas.errors import ServerError
from tools.clickhouse.config import LAUNCH, LOOPBACK, USER, Ports
from tools.clickhouse.connection import Address, Answer

__all__ = ["prove"]

PATIENCE = 10.0  # seconds
QUOTA_EXCEEDED, SYNTAX_ERROR, WRONG_PASSWORD = 201, 62, 516
REVISION = 54058  # of the native protocol, old enough for the shortest greeting
CAPABLE = """
SELECT timezone(), toString(length(tokenizeQuery('SELECT 1')) > 0), parseQueryToJSON('SELECT 1') <> '',
       (SELECT count() FROM cluster('default', system.one))
"""


def prove(address: Address, ports: Ports, password: str) -> None:
    """Raise ServerError when something is not as it has to be; takes a few milliseconds."""
    capable = address.ask(CAPABLE, patience=PATIENCE)
    _hold(not capable.code and capable.rows == [["UTC", "1", 1, 1]], "speaks UTC, parses, has clusters", capable)
    two = address.ask("SELECT 1; SELECT 2", patience=PATIENCE)
    _hold(two.code == SYNTAX_ERROR, "refuses two statements at once", two)
    stranger = address.ask("SELECT 1", user=USER, patience=PATIENCE)
    _hold(stranger.code == WRONG_PASSWORD, "asks for the password", stranger)
    # the quota of `default` counts apart for the engine itself and for who comes over the network: use up the latter
    for _ in range(LAUNCH + 1):
        spent = address.ask("SELECT count() FROM numbers(1)", user="default", patience=PATIENCE)
    _hold(spent.code == QUOTA_EXCEEDED, "lets `default` do nothing more", spent)
    for given, expected in ((password, True), ("", False)):
        said = greet(ports.tcp, given)
        _hold(
            (said == "") is expected, "takes the password over the native protocol", Answer(code=0, text=said, rows=[])
        )


def greet(port: int, password: str) -> str:
    """Log in over the native protocol; return '' when the server greets back, else its words or what it sent instead.

    The packet is the hello of src/Core/Protocol.h: number 0, name, version, revision, database, user, password.
    """
    words = [_word("gander"), bytes((1, 0)), _number(REVISION), _word("default"), _word(USER), _word(password)]
    try:
        with socket.create_connection((LOOPBACK, port), PATIENCE) as connection:
            connection.sendall(b"\0" + b"".join(words))
            answer = connection.recv(4096)
    except OSError as error:
        return str(error)
    if answer[:1] == b"\0":
        return ""
    return answer.decode(errors="replace") or "the connection was closed"


def _hold(true: bool, what: str, answer: Answer) -> None:  # noqa: FBT001 - reads as a sentence
    if not true:
        raise ServerError(
            f"the local ClickHouse is not one that {what}",
            why=answer.text[:500] or str(answer.rows),
            todo="./run doit doctor\nor name a server of your own in services.yaml: environments.local.clickhouse",
        )


def _number(number: int) -> bytes:
    """A variable-length integer of the native protocol: seven bits a byte, the lowest first."""
    groups = bytearray()
    while number > 127:  # noqa: PLR2004 - seven bits
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes((*groups, number))


def _word(text: str) -> bytes:
    return _number(len(text.encode())) + text.encode()
