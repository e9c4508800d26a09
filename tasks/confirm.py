"""Asks before what cannot be taken back: rows that would go, an environment that is protected."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence

from schemas.errors import Refused
from tasks.work import Work
from tools.engine import Losses

__all__ = ["losing", "named"]


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


def named(work: Work, shown: Sequence[str], answer: str) -> None:
    """Go on only when somebody has read these lines and typed ``answer``, or CI says ``yes=ANSWER ref=…``.

    Raises Refused otherwise; where nobody can be asked it names the whole command.
    """
    given = work.variables
    command = shlex.join([f"{name}={given[name]}" for name in ("tag", "commit", "override") if name in given])
    command = " ".join(filter(None, ["doit", work.target.name, command, f"yes={answer}", f"ref={_ref(given)}"]))
    said = given.get("yes")
    if said is not None and not given.get("ref"):
        raise Refused("yes= goes with ref=, which says who has decided it", todo=command)
    if said is None:
        said = work.progress.ask("\n".join([*shown, f"Type {answer} to go on: "]))
    else:
        for line in shown:
            work.progress.line(line)
    if said is None:
        raise Refused(
            f"{answer} is protected: its name is to be typed, and there is no terminal to ask on",
            why="\n".join(shown),
            todo=command,
        )
    if said.strip() != answer:
        raise Refused(f"{said!r} is not {answer}, so nothing was written", todo=f"type {answer}, or: {command}")


def _ref(given: Mapping[str, str]) -> str:
    return shlex.quote(given.get("ref", "CHG-123"))
