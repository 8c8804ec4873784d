"""Migrate: bring the database to the newest schema, forward only and under a lock.

    python -m db.migrate

With READER_PASSWORD set, the role that dashboards read with is brought up to date too.
Alembic keeps the order; each migration is a list of SQL statements in ``db/migrations/versions``.
Two processes that start at once wait for one another on an advisory lock; a migration that fails
leaves nothing behind.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from core.errors import TelemetraError
from core.logging import configure_logging
from core.settings import REPOSITORY, load_settings
from db.readers import provide_reader

LOCK_ID: Final = 0x7E1E3E7A
"""Key of the advisory lock that migrations hold."""

log = structlog.get_logger()


def migrate(database_url: str, revision: str = "head") -> None:
    """Apply every migration that the database lacks, up to a revision."""
    command.upgrade(_configure(database_url), revision)


def newest_revision() -> str:
    """Return the revision that this source tree expects."""
    head = ScriptDirectory.from_config(_configure("")).get_current_head()
    if head is None:
        message = "db/migrations/versions is empty"
        raise RuntimeError(message)
    return head


def _configure(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", _escape(REPOSITORY / "db" / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = database_url
    return config


def _escape(path: Path) -> str:
    # Alembic's configuration replaces %(name)s.
    return str(path).replace("%", "%%")


def main() -> None:
    """Migrate the database of the settings."""
    try:
        settings = load_settings()
        configure_logging("migrate", level=settings.log_level, as_json=settings.log_as_json)
        url = settings.require_database_url()
        migrate(url)
        if settings.reader_password is not None:
            asyncio.run(provide_reader(url, settings.reader_password))
            log.info("reader_provided")
    except TelemetraError as error:
        sys.exit(error.detail)
    log.info("database_migrated", revision=newest_revision())


if __name__ == "__main__":
    main()
