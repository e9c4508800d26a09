"""What charts and manifests say of migrations: Jobs, their variables, values files by environment, image keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from schemas.helm_template import Resource, filled, resources
from schemas.yaml_lenient import documents, flat, merged
from tasks.init.layout import within
from tasks.init.survey import Survey

__all__ = ["ORDER", "Carried", "Charts", "Image", "Job", "Values", "called", "charts", "database_names"]

ORDER = (  # of environments, on the way to production
    *("dev", "develop", "development", "int", "integration", "test", "testing", "qa", "uat", "stage", "staging"),
    *("preprod", "pre-prod", "prod", "production", "live"),
)
VALUES = (
    re.compile(r"(?:.*/)?values[-._](?P<environment>[a-z][a-z0-9-]*)\.ya?ml"),
    re.compile(r"(?:.*/)?(?P<environment>[a-z][a-z0-9-]*)[-._]values\.ya?ml"),
    re.compile(r"(?:.*/)?values/(?P<environment>[a-z][a-z0-9-]*)\.ya?ml"),
    re.compile(r"(?:.*/)?(?:environments|envs|env)/(?P<environment>[a-z][a-z0-9-]*)/(?:[^/]+/)?values\.ya?ml"),
    re.compile(rf"(?:.*/)?(?P<environment>{'|'.join(ORDER)})/(?:[^/]+/)?values\.ya?ml"),
)
NO_ENVIRONMENT = frozenset(
    ("local", "default", "defaults", "example", "sample", "schema", "common", "base", "global", "secrets", "secret")
) | frozenset(("override", "overrides", "ci", "kind", "minikube", "k3d", "all", "template", "values"))
YAML = re.compile(r".*\.ya?ml")
MIGRATES = re.compile(r"migrat|goose", re.IGNORECASE)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
KEY = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")
NAMED = frozenset(("databasename", "dbname", "postgresdb", "pgdatabase", "postgresdatabase", "clickhousedb"))
NAMED |= frozenset(("clickhousedatabase", "database"))
PARENTS = re.compile(r"^(?:.*[._-])?(?:database|databases|db|postgres|postgresql|clickhouse)s?$", re.IGNORECASE)
URL = re.compile(r"(?:postgres(?:ql)?|clickhouse|https?)://[^/\s]*/(?P<name>[A-Za-z_][\w-]*)(?:\?.*)?")
OTHERS = {
    "postgres": re.compile(r"clickhouse|mongo|mysql|maria|redis|keycloak|elastic", re.IGNORECASE),
    "clickhouse": re.compile(r"postgres|mongo|mysql|maria|redis|keycloak|elastic", re.IGNORECASE),
}
URL_KEY = re.compile(r"(?:url|dsn|uri|dbstring)$", re.IGNORECASE)
TABLE = re.compile(r"-table[= \"',]+(?P<name>[a-z_][a-z0-9_.]*)")


class Job(NamedTuple):
    """A Job that runs migrations; what its template leaves to values that are not seen is None or absent."""

    path: str
    line: int
    name: str | None
    hook: str
    variables: Mapping[str, str]


class Image(NamedTuple):
    """The key of a migrations image in a values file, and the repository that stands there."""

    key: str
    repository: str


class Values(NamedTuple):
    """A values file of one environment, laid over the chart's own."""

    path: str
    environment: str
    service: str  # folder
    data: Mapping[str, Any]
    image: Image | None


class Carried(NamedTuple):
    """A ConfigMap that carries migrations of its own."""

    path: str
    line: int


class Charts(NamedTuple):
    """All of it; services are told by their folder."""

    jobs: Mapping[str, tuple[Job, ...]]
    values: tuple[Values, ...]
    carried: tuple[Carried, ...]


def charts(survey: Survey, names: Mapping[str, str]) -> Charts:
    """Read every chart and manifest; ``names`` are the services' names by folder."""
    plain = {path for path in survey.paths if path.rpartition("/")[2] in {"values.yaml", "values.yml"}}
    defaults = {path.rpartition("/")[0]: _flat(survey, path) for path in plain}
    jobs: dict[str, list[Job]] = {}
    carried = []
    values = []
    for path, text in survey.texts.items():
        if not YAML.fullmatch(path):
            continue
        service = within(path, names)
        for resource in resources(text) if "kind:" in text else ():
            if resource.kind == "ConfigMap" and _carries(resource):
                carried.append(Carried(path=path, line=resource.line))
            if resource.kind == "Job" and service is not None and _migrates(resource, path):
                own = _around(path, defaults)
                jobs.setdefault(service, []).append(_job(resource, path, own, names[service]))
        environment = _environment(path)
        if environment and service is not None:
            data = merged(_around(path, defaults), _flat(survey, path))
            found = Values(path=path, environment=environment, service=service, data=data, image=_image(data))
            values.append(found)
    return Charts(
        jobs={service: tuple(found) for service, found in jobs.items()},
        values=tuple(sorted(values)),
        carried=tuple(sorted(carried)),
    )


def database_names(data: Mapping[str, Any], key: str, engine: str, *, alone: bool) -> Iterator[str]:
    """The names of a physical database that values give to the database ``key``, or to the only one."""
    for path, value in data.items():
        ours = alone or called(key, path)
        if isinstance(value, str) and ours and not OTHERS[engine].search(path):
            name = _name(path, value)
            if name:
                yield name


def called(key: str, text: str) -> bool:
    """Whether a text has a key as a whole word of it."""
    words = re.escape(key).replace(r"\-", "_").replace("_", "[-_]?")
    return bool(re.search(rf"(?<![a-z0-9]){words}(?![a-z0-9])", text.lower()))


def _name(path: str, value: str) -> str:
    above, _, leaf = path.rpartition(".")
    bare = re.sub(r"[^a-z]", "", leaf.lower())
    url = URL.fullmatch(value) if URL_KEY.search(leaf) else None
    if url:
        return url["name"]
    named = bare in NAMED or bare.endswith(("dbname", "databasename")) or (bare == "name" and PARENTS.match(above))
    return value if named and NAME.fullmatch(value) else ""


def _environment(path: str) -> str:
    found = next(filter(None, (form.fullmatch(path) for form in VALUES)), None)
    return found["environment"] if found and found["environment"] not in NO_ENVIRONMENT else ""


def _around(path: str, defaults: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The chart's own values: those of the nearest folder above."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        if folder in defaults:
            return defaults[folder]
    return {}


def _flat(survey: Survey, path: str) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for document in documents(survey.texts.get(path, "")):
        data |= flat(document) if isinstance(document, dict) else {}
    return data


def _migrates(resource: Resource, path: str) -> bool:
    return bool(MIGRATES.search(resource.name) or MIGRATES.search(path.rpartition("/")[2])) or (
        "goose" in resource.text.lower()
    )


def _carries(resource: Resource) -> bool:
    return "+goose Up" in resource.text or bool(re.search(r"\.Files\.Glob\s+\"[^\"]*(?:migrat|\.sql)", resource.text))


def _job(resource: Resource, path: str, values: Mapping[str, Any], service: str) -> Job:
    variables = {name: filled(value, values, release=service, chart=service) for name, value in _given(resource)}
    return Job(
        path=path,
        line=resource.line,
        name=filled(resource.name, values, release=service, chart=service) or None,
        hook=resource.hook,
        variables={name: value for name, value in variables.items() if value},
    )


def _given(resource: Resource) -> Iterable[tuple[str, str]]:
    table = TABLE.search(resource.text)
    return {**({"GOOSE_TABLE": table["name"]} if table else {}), **resource.variables}.items()


def _image(data: Mapping[str, Any]) -> Image | None:
    """The migrations' image: a text, or a mapping of ``repository`` and ``tag``, whose tag is what changes.

    An empty text is one that was not promoted yet.
    """
    for key, value in data.items():
        if not (isinstance(value, str) and MIGRATES.search(key) and KEY.fullmatch(key)):
            continue
        above, _, leaf = key.rpartition(".")
        if leaf.lower().endswith("image"):
            tag = f"{above}.tag" if above else "tag"
            apart = tag in data and ":" not in value.rpartition("/")[2]
            return Image(key=tag if apart else key, repository=_repository(value))
        if leaf == "repository" and f"{above}.tag" in data:
            registry = data.get(f"{above}.registry")
            return Image(key=f"{above}.tag", repository=f"{registry}/{value}" if registry else value)
    return None


def _repository(image: str) -> str:
    image = image.partition("@")[0]
    head, _, last = image.rpartition("/")
    name = last.partition(":")[0]
    return f"{head}/{name}" if head else name
