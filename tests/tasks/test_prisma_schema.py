from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.structure import Object
from tasks.prisma import schema

MODELS = """generator client {
  provider = "prisma-client-js"
}

datasource db {
  provider = "postgresql"
  url      = env("AUTH_DATABASE_URL")
}

/// who signs in
model users {
  id String @id @default("http://not a comment")
}

/// goose's own
model goose_db_version {
  id Int @id
}

model Renamed {
  id Int @id

  @@map("versions")
}
"""


def test_comments_that_a_pull_drops_are_found_and_strings_and_kept_ones_are_not() -> None:
    text = 'model a { // why\n  id String @default("//")\n  /// kept\n  // gone\n}\n'
    assert schema.comments(text) == ((1, "// why"), (4, "// gone"))
    assert schema.comments(MODELS) == ()


def test_the_version_tables_model_goes_with_its_comment_also_under_another_name() -> None:
    without = schema.without_table(MODELS, "goose_db_version")
    assert "goose" not in without
    assert "model users" in without
    assert "model Renamed" not in schema.without_table(MODELS, "other.versions")
    assert schema.without_table(without, "goose_db_version") == without


def test_the_datasource_tells_its_variable() -> None:
    assert schema.variable(MODELS) == "AUTH_DATABASE_URL"
    assert schema.variable('datasource db {\n  url = "postgres://x"\n}\n') is None
    assert schema.variable(schema.beginning("X_URL", "")) == "X_URL"


def test_what_a_schema_cannot_say_is_told_by_kind() -> None:
    structure = {
        Object(kind="trigger", name="public.t.a"): "CREATE TRIGGER",
        Object(kind="trigger", name="public.t.b"): "CREATE TRIGGER",
        Object(kind="index", name="public.t.plain"): "CREATE INDEX plain ON public.t USING btree (a)",
        Object(kind="index", name="public.t.part"): "CREATE INDEX part ON public.t USING btree (a) WHERE (a > 1)",
        Object(kind="index", name="public.t.made"): "CREATE INDEX made ON public.t USING btree (lower(a))",
        Object(kind="constraint", name="public.t.fk"): "FOREIGN KEY (a) REFERENCES public.u(a)",
        Object(kind="constraint", name="public.t.ck"): "CHECK ((a > 1))",
        Object(kind="table", name="public.t"): "",
    }
    assert schema.not_held(structure) == ("constraint: t.ck", "index: t.made, t.part", "trigger: t.a, t.b")


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    schema.comments(text)
    schema.variable(text)
    assert schema.without_table(text, "goose_db_version").endswith("\n")
