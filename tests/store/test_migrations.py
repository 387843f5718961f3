"""The migrations make exactly the tables that the program declares."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

import hongyan.features.avatars.tables
import hongyan.features.cim.tables
import hongyan.features.identity.tables
import hongyan.features.push.tables
import hongyan.features.timers.tables
import hongyan.features.xmpp.tables
import hongyan.features.xmpp.tables_rooms
import hongyan.messaging.tables  # noqa: F401  declares its tables
from hongyan.features.search import matching
from hongyan.features.search.tables import derived
from hongyan.store import migrate
from hongyan.store.schema import metadata


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    path = tmp_path / "a 100% odd name" / "hongyan.db"
    migrate.upgrade(path)
    return path


def test_migrated_tables_are_the_declared_ones(migrated: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        opts = {
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, parents: not (name or "").startswith("search_index"),
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=opts), [metadata, derived]) == []
    engine.dispose()


def test_migrated_tables_are_the_declared_ones_in_sqlites_own_words(migrated: Path) -> None:
    """What Alembic does not compare: partial indexes, WITHOUT ROWID, constraints."""

    def words(database: sqlite3.Connection) -> dict[str, list[str]]:
        rows = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'")
        return {name: _parts(" ".join(sql.split())) for name, sql in rows if not name.startswith("search_index")}

    declared = migrated.with_name("declared.db")
    engine = create_engine(f"sqlite:///{declared}")
    for declaring in (metadata, derived):
        declaring.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(migrated)) as one, closing(sqlite3.connect(declared)) as other:
        assert words(one) == words(other)


def _parts(sql: str) -> list[str]:
    """What stands between the commas of a statement, sorted: a column that was added later comes last, and is the same."""
    head, _, rest = sql.partition("(")
    inside, _, tail = rest.rpartition(")")
    parts, depth = [""], 0
    for char in inside:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [head.strip(), tail.strip(), *sorted(part.strip() for part in parts)]


def test_upgrade_again_changes_nothing(migrated: Path) -> None:
    assert migrate.current(migrated) == migrate.newest()
    migrate.check(migrated)
    before = migrated.read_bytes()
    migrate.upgrade(migrated)
    assert migrated.read_bytes() == before


def test_upgrade_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "hongyan.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE members (in_the_way TEXT)")
        db.commit()
    with pytest.raises(Exception, match="members"):
        migrate.upgrade(path)
    with closing(sqlite3.connect(path)) as db:
        assert [name for (name,) in db.execute("SELECT name FROM sqlite_master")] == ["members"]
    assert migrate.current(path) is None


def test_an_emptied_index_is_the_one_that_was_migrated(migrated: Path) -> None:
    """The statements that empty it make it again, and a migration does not change."""
    with closing(sqlite3.connect(migrated)) as db:
        made = "SELECT sql FROM sqlite_master WHERE name = 'search_index'"
        before = db.execute(made).fetchone()
        for statement in matching.DIALECTS["sqlite"].clear:
            db.execute(statement)
        assert db.execute(made).fetchone() == before
