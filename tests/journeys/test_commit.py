"""`doit commit` as it is typed: what it takes, what it leaves, and what it refuses."""

from __future__ import annotations

from tests.journeys.conftest import Monorepo, counts, ran
from tests.journeys.test_editing import git, save

WHO = {
    "GIT_AUTHOR_NAME": "Someone",
    "GIT_AUTHOR_EMAIL": "someone@example.com",
    "GIT_COMMITTER_NAME": "Someone",
    "GIT_COMMITTER_EMAIL": "someone@example.com",
}


def begun(example: Monorepo) -> Monorepo:
    (example.root / ".gitignore").write_text(".state/\n")
    git(example, "init", "--quiet", "--initial-branch", "main")
    git(example, "config", "commit.gpgsign", "false")
    save(example, "first")
    return example


def test_only_the_services_own_files_are_committed(example: Monorepo) -> None:
    monorepo = begun(example)
    assert counts(monorepo.fine("-s", "commit")) == (0, 4, 0)
    new = monorepo.fine("create:auth-service", "name=add_devices").stdout.strip()
    theirs = monorepo.fine("create:legal-service", "name=add_notes").stdout.strip()
    (monorepo.root / "notes.txt").write_text("mine")
    git(monorepo, "add", "notes.txt")
    done = monorepo.fine("-s", "commit:auth-service", **WHO)
    assert "feat(auth-service): add devices" in done.stderr
    assert git(monorepo, "show", "--name-only", "--format=", "HEAD").split() == [new]
    assert sorted(git(monorepo, "status", "--porcelain").splitlines()) == [f"?? {theirs}", "A  notes.txt"]
    assert counts(monorepo.fine("-s", "commit:auth-service")) == (0, 1, 0)
    assert ran(monorepo.fine("-s", "commit", "message=all the rest", **WHO)) == ["commit:legal-service"]
    assert git(monorepo, "log", "-1", "--format=%s").strip() == "all the rest"


def test_a_migration_that_git_ignores_is_refused(example: Monorepo) -> None:
    monorepo = begun(example)
    (monorepo.root / ".gitignore").write_text(".state/\n*_draft.sql\n")
    monorepo.fine("create:auth-service", "name=add_draft")
    new = monorepo.fine("create:auth-service", "name=add_devices").stdout.strip()
    refused = monorepo.doit("-s", "commit:auth-service", **WHO)
    assert refused.returncode == 1
    assert "git ignores 1 file of the migrations" in refused.stderr
    assert f"?? {new}" in git(monorepo, "status", "--porcelain")


def test_outside_git_it_is_refused(example: Monorepo) -> None:
    refused = example.doit("-s", "commit:auth-service")
    assert refused.returncode == 1
    assert "is in no git repository" in refused.stderr
    assert (
        "`commit:identity-service/auth`: commit is about a whole service"
        in example.doit("commit:identity-service/auth").stderr
    )


def test_migrations_behind_a_link_are_refused_instead_of_found_committed(example: Monorepo) -> None:
    monorepo = begun(example)
    service, folder = monorepo.root / "services" / "auth-service", monorepo.folder("auth-service")
    folder.rename(service / "real")
    folder.symlink_to("real")
    monorepo.write("auth-service", "20990101000000_new.sql", "SELECT 1;")
    for words in (("-s", "commit:auth-service"), ("create:auth-service", "name=x"), ("renumber:auth-service",)):
        refused = monorepo.doit(*words, **WHO)
        assert refused.returncode == 1
        assert "services/auth-service/migrations: is reached by a symbolic link" in refused.stderr
        assert "→ name the folder itself in services.yaml: migrations: services/auth-service/real" in refused.stderr
    folder.unlink()
    service.rename(service.with_name("real"))
    service.symlink_to("real")
    refused = monorepo.doit("create:auth-service", "name=x")
    assert refused.returncode == 3
    assert "`services/auth-service` leads to `services/real` by a symbolic link" in refused.stderr
    assert "give `folder: services/real`" in refused.stderr
