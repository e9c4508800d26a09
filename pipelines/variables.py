"""The variables of the command line: ``name=value``, each checked by its row here."""

from __future__ import annotations

from pipelines.contents import Variable

__all__ = ["VARIABLES"]

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
TAG = r"m-[0-9a-f]+"
LINE = r"[^\x00-\x1f\x7f\x85\u2028\u2029]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f\x85\u2028\u2029]*"  # one line

VARIABLES = {
    "changed": Variable(doc="only services that differ from where the branch left this one", form="origin/main"),
    "name": Variable(doc="what a new migration is called", form="add_user_preferences"),
    "like": Variable(
        doc="which template it is made from",
        values=("table", "column", "index", "enum", "function", "backfill", "irreversible"),
    ),
    "table": Variable(doc="its table, where the name does not say it", pattern=NAME, form="users"),
    "column": Variable(doc="its column, where the name does not say it", pattern=NAME, form="nickname"),
    "editor": Variable(doc="open the new file in your editor", values=("true", "false")),
    "message": Variable(doc="the commit's message, instead of the one made from it", form="'feat: devices'"),
    "commit": Variable(doc="the commit that an image is of, instead of HEAD", pattern=r"[^-].*", form="v1.2.0"),
    "push": Variable(doc="false: into the Docker of this machine, and to no registry", values=("true", "false")),
    "frozen": Variable(doc="write nothing, and fail where something would be written", values=("true", "false")),
    "force": Variable(
        doc="write over what is there, though something may be lost; make a first schema", values=("true", "false")
    ),
    "format": Variable(
        doc="text for people, or a document for programs",
        values=("text", "json"),
        more={"lint": ("sarif", "github", "gitlab", "junit"), "plan": ("markdown",)},
    ),
    "output": Variable(doc="the file that gets the report, instead of stdout", form="lint.sarif"),
    "base": Variable(doc="report in full what differs from that branch, and count the rest", form="origin/main"),
    "baseline": Variable(doc="write down today's findings: they fail no more, and only shrink", values=("write",)),
    "fix": Variable(doc="make the safe fixes in migrations that are not merged", values=("true", "false")),
    "strict": Variable(doc="fail on warnings too", values=("true", "false")),
    "evidence": Variable(doc="the folder for what verify saw, as JSON", form="evidence"),
    "stop": Variable(doc="end the run that is under way, whatever it does", values=("true",), alone=True),
    "version": Variable(doc="the version that is meant", pattern=r"[0-9]+", form="20260101120000"),
    "to": Variable(doc="the version to go down to", pattern=r"[0-9]+", form="20260101120000"),
    "yes": Variable(doc="the name that confirms, where nobody can be asked", form="auth-service"),
    "tag": Variable(
        doc="an earlier image that the environment before has verified", pattern=TAG, form="m-1b1dd44d73ba23"
    ),
    "ref": Variable(doc="what stands for the decision elsewhere, kept in the commit", pattern=LINE, form="CHG-123"),
    "override": Variable(
        doc="why an image goes where it is not verified for", pattern=LINE, form="'the login page is down'"
    ),
}
