"""May rows go? Names what a change would take away, and asks before it does."""

from __future__ import annotations

import os

from schemas.errors import Refused
from tasks.work import Work
from tools.engine import Losses

__all__ = ["losing"]


def losing(work: Work, what: str, losses: Losses, answer: str) -> None:
    """Go on only when nothing would be lost, or the user says so by typing ``answer`` (or ``yes=ANSWER``).

    ``what`` says what is about to happen. Raises Refused when the user does not, and always in CI.
    """
    if not (losses.tables or losses.columns or losses.untried):
        return
    listed = [f"{table}: {count} {'row' if count == 1 else 'rows'}" for table, count in sorted(losses.tables.items())]
    listed += [f"{column}: all values" for column in losses.columns]
    listed += list(losses.untried)
    known = losses.tables or losses.columns
    heading, would = ("takes away", "would") if known else ("cannot be tried beforehand", "could")
    for line in (f"{what} {heading}:", *(f"  {line}" for line in listed)):
        work.progress.line(line)
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        raise Refused(f"{what} {would} lose rows, which is never done in CI", why="\n".join(listed))
    said = work.variables.get("yes")
    if said is None:
        said = work.progress.ask(f"Type {answer} to go on: ")
    if said is None:
        raise Refused(
            f"{what} {would} lose rows, and there is no terminal to ask on",
            why="\n".join(listed),
            todo=f"add yes={answer} to the command, if they may go",
        )
    if said.strip() != answer:
        raise Refused(f"{what}: not confirmed, nothing was changed", todo=f"type {answer}, or add yes={answer}")
