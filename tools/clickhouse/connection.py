"""Statements to a ClickHouse server over HTTP, whose refusals become errors that a user understands.

http.client is loaded in a tenth of the time that a client library takes, and gives all that is needed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from schemas.errors import ServerError
from tools.shell import hide, redact

if TYPE_CHECKING:
    from http.client import HTTPConnection

__all__ = ["FORM", "SETTINGS", "Address", "Answer", "array", "identifier", "string"]

CONNECTING = 10.0  # seconds
PATIENCE = 60.0  # seconds for an answer
FORM = {
    "default_format": "JSONCompact",
    "wait_end_of_query": "1",  # an error after the first rows must not look like success
}
SETTINGS = {
    **FORM,
    "output_format_json_quote_64bit_integers": "0",
    "max_query_size": str(1 << 30),  # bytes: one question may hold all the files of a stream
}
CODE = re.compile(r"\bCode: (\d+)\.")
FULL = ("NOT_ENOUGH_SPACE", "No space left")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said: ``code`` is ClickHouse's error number, 0 for none; the rows are empty then."""

    code: int
    text: str
    rows: list[list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is: the URL of its HTTP interface, and the one that goose takes, where that is another."""

    url: str = field(repr=False)  # it may hold the password
    native: str = field(default="", repr=False)  # the same
    todo: str  # the next command when the server does not answer

    def __post_init__(self) -> None:
        for password in (urlsplit(self.url).password or "", dict(parse_qsl(urlsplit(self.url).query)).get("password")):
            hide(password or "")
            hide(unquote(password or ""))

    def to(self, database: str, application: str) -> str:
        """The URL of one database, password included, that names the application unless that is empty."""
        parts = urlsplit(self.native or self.url)
        query = [(key, value) for key, value in parse_qsl(parts.query) if key not in {"database", "log_comment"}]
        query += [("log_comment", application)] if application else []
        path = f"/{quote(database, safe='')}"
        return urlunsplit((parts.scheme, parts.netloc, path, urlencode(query, quote_via=quote), ""))

    def query(self, statement: str, *, patience: float = PATIENCE, database: str = "") -> list[list[Any]]:
        """The rows of one statement, within a database where one is named; ServerError when it is refused."""
        settings = {**SETTINGS, "database": database} if database else SETTINGS
        answer = self.ask(statement, patience=patience, settings=settings)
        if answer.code:
            full = any(sign in answer.text for sign in FULL)
            raise ServerError(
                "ClickHouse has no space left on its disk" if full else "ClickHouse refused a statement",
                why=redact(answer.text),
                todo="free some space on that disk" if full else self.todo,
            )
        return answer.rows

    def ask(
        self,
        statement: str,
        *,
        user: str = "",
        patience: float = PATIENCE,
        settings: Mapping[str, str] = SETTINGS,
        reading: bool = False,
    ) -> Answer:
        """What the server says to one statement; ``user`` stands for another one, without password.

        With ``reading`` it goes by GET, where ClickHouse itself lets nothing be changed; the statement must be short.
        Raises ServerError only when it does not answer.
        """
        from http.client import HTTPException  # noqa: PLC0415 - start-up: only a run with a server needs it

        connection = self._connection(CONNECTING)
        try:
            connection.connect()
            connection.sock.settimeout(patience)
            words = {**settings, "query": statement} if reading else settings
            body = None if reading else statement.encode()
            connection.request("GET" if reading else "POST", f"/?{urlencode(words)}", body, self._login(user))
            response = connection.getresponse()
            text = response.read().decode(errors="replace").strip()
        except (OSError, HTTPException) as error:
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            why = redact(f"{connection.host}:{connection.port}: {said}")
            raise ServerError("ClickHouse cannot be reached", why=why, todo=self.todo) from error
        finally:
            connection.close()
        if response.status != 200:  # noqa: PLR2004 - HTTP's OK
            found = CODE.search(text)
            return Answer(code=int(found[1]) if found else -1, text=text, rows=[])
        try:
            return Answer(code=0, text=text, rows=json.loads(text)["data"] if text else [])
        except (ValueError, KeyError, TypeError) as error:
            raise ServerError("this is no ClickHouse", why=text[:200], todo=self.todo) from error

    def _connection(self, patience: float) -> HTTPConnection:
        from http import client  # noqa: PLC0415 - start-up: only a run with a server needs it

        parts = urlsplit(self.url)
        kind = client.HTTPSConnection if parts.scheme == "https" else client.HTTPConnection
        return kind(parts.hostname or "", parts.port or (8443 if parts.scheme == "https" else 8123), timeout=patience)

    def _login(self, user: str) -> dict[str, bytes]:
        if user:
            return {"X-ClickHouse-User": user.encode()}
        parts = urlsplit(self.url)
        query = dict(parse_qsl(parts.query))
        return {
            "X-ClickHouse-User": (unquote(parts.username or "") or query.get("username", "default")).encode(),
            "X-ClickHouse-Key": (unquote(parts.password or "") or query.get("password", "")).encode(),
        }


def identifier(name: str) -> str:
    """A name as a statement needs it."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def string(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def array(texts: Iterable[str]) -> str:
    """A literal of several strings."""
    return f"[{', '.join(map(string, texts))}]"
