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
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        raise Refused(f"{what} {would} lose rows, which is never done in CI", why="\n".join(listed))
    said = work.variables.get("yes")
    if said is None:
        question = "\n".join([f"{what} {heading}:", *(f"  {line}" for line in listed), f"Type {answer} to go on: "])
        said = work.progress.ask(question)
    if said is None:
        raise Refused(
            f"{what} {would} lose rows, and there is no terminal to ask on",
            why="\n".join(listed),
            todo=f"add yes={answer} to the command, if they may go",
        )
    if said.strip() != answer:
        raise Refused(
            f"{what}: {said!r} is not {answer}, so nothing was changed", todo=f"answer {answer}, or add yes={answer}"
        )
    for line in (f"{what} {heading}:", *(f"  {line}" for line in listed)):
        work.progress.line(line)
