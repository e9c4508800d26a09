"""The templates for CI: what they check and release, with which rights, and where their secrets go."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_docs import DOCS, TEMPLATES, commands_in, shown
from tools import shell
from tools.git.surroundings import environment

RELEASES = tuple(one for one in TEMPLATES if one.stem.endswith("-release"))


def texts_in(data: Any) -> Iterator[str]:
    """Every text of a document."""
    if isinstance(data, dict | list):
        for inner in data.values() if isinstance(data, dict) else data:
            yield from texts_in(inner)
    elif isinstance(data, str):
        yield data


@pytest.mark.parametrize("template", [one for one in TEMPLATES if one not in RELEASES], ids=shown)
def test_a_template_for_ci_checks_what_a_branch_touches_with_the_whole_history_and_no_secret(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    texts = list(texts_in(document))
    typed = [rest for _, rest in commands_in(template)]
    assert " check changed=origin/main" in typed
    assert len(typed) == sum("run doit" in one for one in texts), "a command that is not seen as one"
    assert not re.search(r"secrets\.|password|token", text.replace("persist-credentials: false", ""), re.IGNORECASE)
    cached = " ".join(texts)
    assert all(place in cached for place in (".tools", ".venv", ".state/state.db"))
    if template.name == "github.yml":
        job = document["jobs"]["check"]
        (checkout,) = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert (checkout["fetch-depth"], checkout["persist-credentials"]) == (0, False)
        assert document["permissions"] == {"contents": "read"}
        assert "permissions" not in job
        keys = [step["with"]["key"] for step in job["steps"] if step.get("uses", "").startswith("actions/cache@")]
        assert all("hashFiles('tools/gander/tools/locks/**')" in key for key in keys)
        assert len(keys) == 2
    else:
        job = document["migrations"]
        assert job["variables"]["GIT_DEPTH"] == "0"
        assert all("$GANDER_COMMIT" in cache["key"] for cache in job["cache"])
        assert re.fullmatch(r"[0-9a-f]{40}", job["variables"]["GANDER_COMMIT"])


def test_there_is_a_template_for_each_ci() -> None:
    names = ["github-release.yml", "github.yml", "gitlab-release.yml", "gitlab.yml"]
    assert [template.name for template in TEMPLATES] == names


@pytest.mark.parametrize("template", RELEASES, ids=shown)
def test_a_template_that_releases_goes_to_dev_on_a_merge_and_to_prod_by_hand_alone(template: Path) -> None:
    document = yaml.safe_load(template.read_text(encoding="utf-8"))
    dev, prod = (document.get("jobs", document)[name] for name in ("dev", "prod"))
    assert [job["environment"] for job in (dev, prod)] == ["dev", "prod"]
    typed = {name: [one for one in texts_in(job) if "run doit" in one] for name, job in (("dev", dev), ("prod", prod))}
    assert [one.partition("run doit ")[2].split()[0] for one in typed["dev"]] == ["image", "deploy@dev"]
    (released,) = typed["prod"]
    assert 'doit "deploy:$SERVICE@prod" yes=prod "ref=$REF"' in released
    assert not any("${{" in one or "TOKEN" in one for listed in typed.values() for one in listed), "no secret in argv"
    if template.name.startswith("github"):
        assert document["permissions"] == {"contents": "write"}
        assert document["concurrency"]["cancel-in-progress"] is False
        assert (dev["if"], prod["if"]) == ("github.event_name == 'push'", "github.event_name == 'workflow_dispatch'")
    else:
        assert document[".release"]["interruptible"] is False
        assert [rule.get("when") for rule in prod["rules"]] == ["manual"]


def test_the_token_that_pushes_reaches_the_git_that_gander_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets few variables, so a helper that reads one of CI's would give it nothing."""
    lines = yaml.safe_load((DOCS / "ci" / "gitlab-release.yml").read_text(encoding="utf-8"))[".release"][
        "before_script"
    ]
    logins = "\n".join(line for line in lines if "credential" in line)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    given = {**os.environ, "PUSH_TOKEN": "a-token-of-ci", "CI_SERVER_HOST": "git.example.com"}
    subprocess.run(["bash", "-ec", logins], env=given, check=True)  # noqa: S607 - as CI runs it
    asked = b"protocol=https\nhost=git.example.com\n\n"
    told = shell.converse(["git", "credential", "fill"], asked, environment=environment(), timeout=60, cwd=tmp_path)
    assert b"password=a-token-of-ci" in told.out.splitlines()
    assert (tmp_path / ".git-credentials").stat().st_mode & 0o077 == 0
