"""Which keys of Secrets somebody has documented, and what a Job's variables are with them.

A key is documented when it is the policy's name for the URL of one of the service's databases, the variable of that
database's schema.prisma, its `url_env` in services.yaml, or when the chart makes the Secret with that key in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from schemas.catalog import Database, Environment, Service
from schemas.manifest import Manifest
from tasks.rehearse.job import Job, Key, filled

__all__ = ["STRING", "Made", "Secrets", "Settled", "documented", "made", "policy", "settle"]

STRING = "GOOSE_DBSTRING"
POLICY = {"postgres": "DATABASE_URL", "clickhouse": "CLICKHOUSE_URL"}
MAKERS = ("SealedSecret", "ExternalSecret")  # of Secrets, by a controller: bitnami.com and external-secrets.io

Made = Mapping[tuple[str, str], Mapping[str, str | None] | None]
"""Kind and name of what a chart makes -> its keys, with a ConfigMap's texts; None: nobody can tell which keys."""


class Secrets(NamedTuple):
    """What is known of the Secrets and ConfigMaps that a Job may read."""

    database: str  # label of the one that the Job migrates
    keys: Mapping[str, str]  # documented key -> label of the database whose URL it holds
    made: Made


class Settled(NamedTuple):
    """A Job's variables; ``url`` names those that get the URL of the database. Or what keeps its pod from starting."""

    texts: Mapping[str, str] = {}
    url: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


def policy(service: Service, database: Database) -> tuple[str, ...]:
    """The policy's names for a database's URL: the plain one where the service has no other, and one with its name."""
    plain = POLICY[database.engine]
    own = sum(isinstance(one, Database) for one in service.databases)
    named = f"{database.key.upper().replace('-', '_')}_{plain}"
    return (plain, named) if own == 1 else (named,)


def documented(service: Service, environment: Environment, prisma: Mapping[str, str | None]) -> dict[str, str]:
    """Documented keys -> label of their database; ``prisma`` has the variable of each schema.prisma, by label."""
    keys: dict[str, str] = {}
    for one in service.databases:
        names = [prisma.get(one.label)]
        if isinstance(one, Database):
            names += [*policy(service, one), one.url_env.get(environment.name)]
        keys |= {name: one.label for name in names if name and name not in keys}
    return keys


def made(manifests: Iterable[Manifest]) -> dict[tuple[str, str], Mapping[str, str | None] | None]:
    """The Secrets and ConfigMaps that a chart makes, those too that a controller makes of its objects."""
    found: dict[tuple[str, str], Mapping[str, str | None] | None] = {}
    for one in manifests:
        if one.kind == "ConfigMap":
            found["ConfigMap", one.name] = _texts(one.get("data"))
        elif one.kind == "Secret":
            found["Secret", one.name] = dict.fromkeys([*_texts(one.get("data")), *_texts(one.get("stringData"))])
        elif one.kind in MAKERS:
            named = one.get("spec", "target", "name") or one.get("spec", "template", "metadata", "name") or one.name
            found["Secret", str(named)] = _of_maker(one)
    return found


def settle(job: Job, known: Secrets) -> Settled:
    """What each variable of the Job holds; with findings, each of them a reason why it cannot work as it is."""
    texts: dict[str, str] = {}
    url: list[str] = []
    findings: list[str] = []
    for name, value in job.variables.items():
        if not isinstance(value, Key):
            texts[name] = filled(value, texts)
        elif value.kind == "ConfigMap":
            text, problem = _text(value, known.made)
            texts |= {name: text} if text is not None else {}
            findings += [f"{name} is the {value}, {problem}"] if problem else []
        else:
            is_there, problem = _url(name, value, known)
            url += [name] if is_there else []
            findings += [f"{name} is the {value}, {problem}"] if problem else []
    if STRING in texts:
        findings.append(f"{STRING} stands in the Job itself: it leads to a server, and is to come from a Secret (AR10)")
    elif STRING not in url and not findings:
        findings.append(f"it gets no {STRING}, so goose does not know where the database is")
    return Settled(texts, tuple(url), tuple(findings))


def _text(wanted: Key, made: Made) -> tuple[str | None, str]:
    """What a key of a ConfigMap holds, or what is wrong with it."""
    text = (made.get((wanted.kind, wanted.name)) or {}).get(wanted.key)
    if text is not None or wanted.optional:
        return text, ""
    return None, "which this chart does not make, so what it holds is not known here"


def _url(name: str, wanted: Key, known: Secrets) -> tuple[bool, str]:
    """Whether a key of a Secret holds the URL of the Job's database, or what is wrong with it."""
    here = (wanted.kind, wanted.name) in known.made
    keys = known.made.get((wanted.kind, wanted.name))
    if here and keys is not None and wanted.key not in keys:
        return False, "" if wanted.optional else f"which the chart makes without it (it has: {', '.join(keys)})"
    whose = known.keys.get(wanted.key)
    if whose == known.database or (here and not whose and name == STRING):
        return True, ""
    if whose:
        return False, f"which holds the URL of {whose}, and this Job migrates {known.database}"
    if here:
        return False, "whose value is not known here: only URLs of databases are"
    if wanted.optional:
        return False, ""
    names = [key for key, label in known.keys.items() if label == known.database]
    return False, (
        f"which nobody documents: where it is missing, the pod never starts (documented: {', '.join(names)})"
        f"\n→ call it {names[0]}, or have services.yaml say it: url_env: {{ENVIRONMENT: {wanted.key}}}"
    )


def _of_maker(manifest: Manifest) -> Mapping[str, None] | None:
    """The keys of a Secret that a controller makes; None where they are not listed."""
    if manifest.kind == "SealedSecret":
        return dict.fromkeys(_texts(manifest.get("spec", "encryptedData")))
    if manifest.get("spec", "dataFrom"):
        return None
    listed = manifest.get("spec", "data")
    keys = [one.get("secretKey") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return dict.fromkeys(key for key in keys if isinstance(key, str))


def _texts(data: Any) -> dict[str, str | None]:
    return {str(key): str(value) for key, value in data.items()} if isinstance(data, dict) else {}
