"""LA01 bad-waiver: a waiver names rules that there are, says why, and until when.

Problem: A comment that allows a finding is mistyped, gives no reason or no day, has ended, or allows nothing any more.

Consequence: It does not count, or nobody knows why it is there. Waivers that stay for ever become the policy.

Solution: `-- lint:allow GS09 why it may stay until=2027-03-01`, several codes with commas between them: directly above
the statement, at the end of its line, or before the first annotation for the whole file. In YAML and scripts it begins
with `#`. What can hold no comment, or is merged, stands in services.yaml under `lint:`, `allow:`. Take it out when it
allows nothing any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from schemas.nearest import closest
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.waive import Waived
from tasks.lint.waiver import UNTIL, WORD, Waiver

__all__ = ["RULE", "check"]

RULE = Rule(code="LA01", name="bad-waiver", severity="error", needs="waivers")

FORM = f"{WORD} CODE why it may stay {UNTIL}YYYY-MM-DD"


def check(waived: Waived) -> Iterator[Flaw]:
    """Waivers that are not whole, have ended, or allow nothing."""
    for one in waived.used:
        waiver = one.waiver
        wrong = _unfinished(waiver, waived)
        idle = [code for code in waiver.codes if code in waived.judged - one.codes]
        if wrong:
            yield _flaw(waiver, *wrong)
        elif waiver.end and waived.today > waiver.end:
            if one.codes - one.renewed or not (one.codes or waiver.merged):
                yield _flaw(waiver, f"this waiver ended on {waiver.until} and counts no more.", _later(waiver))
        elif idle and not waiver.merged:
            message = f"nothing here breaks {' and '.join(idle)}, so this waiver allows nothing."
            whole = len(idle) == len(waiver.codes)
            yield _flaw(waiver, message if whole else message.replace("nothing.", "less than it says."), "", fix=whole)

    for path, line, column, code in waived.unknown:
        near = _near(code, waived.known)
        yield Flaw(
            f"there is no rule `{code}`, so this severity is for nothing.", line, column, path=path, instead=near
        )


def _unfinished(waiver: Waiver, waived: Waived) -> tuple[str, str] | None:
    """Why a waiver is none, and what to write."""
    unknown = [code for code in waiver.codes if code not in waived.known]
    why, instead = "", FORM
    if waiver.word != WORD:
        why = f"`{waiver.word}` is not how a waiver begins"
    elif not waiver.codes:
        why = "this waiver names no rule"
    elif unknown:
        near = _near(unknown[0], waived.known)
        why, instead = f"there is no rule `{unknown[0]}`", near and f"{WORD} {near}"
    elif "LA01" in waiver.codes and waiver.path == waiver.covers:
        why, instead = "a waiver cannot allow LA01 beside itself", ""
    elif not waiver.reason:
        why = f"this waiver does not say why {' and '.join(waiver.codes)} may stay"
    elif waiver.end is None:
        why = f"`{UNTIL}{waiver.until}` is no day" if waiver.until else "this waiver does not say until when"
    return (f"{why}, so nothing is allowed.", instead) if why else None


def _near(code: str, known: Collection[str]) -> str:
    """The code that was probably meant: GS9 is GS09."""
    whole = f"{code[:2].upper()}{code[2:].zfill(2)}"
    return whole if whole in known else closest(code, known)


def _later(waiver: Waiver) -> str:
    """Where a merged file's waiver goes on: the file itself must stay as it is."""
    if not waiver.merged:
        return ""
    return "\n".join(
        f'{{rule: {code}, path: {waiver.covers}, reason: "{waiver.reason}", until: "YYYY-MM-DD"}}'
        for code in waiver.codes
    )


def _flaw(waiver: Waiver, message: str, instead: str, *, fix: bool = False) -> Flaw:
    return Flaw(
        message,
        line=waiver.line,
        column=waiver.column,
        end_column=waiver.end_column,
        instead=instead,
        path=waiver.path,
        fix=waiver.remove if fix else (),
    )
