"""Jobs: the tables of procrastinate, and audio that becomes text."""

from pathlib import Path
from typing import Any, Final

import asyncpg
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0011"
down_revision = "0010"

NEWEST: Final = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
"""The last of procrastinate's own migrations that is applied here. When a newer release brings
more, a migration of ours applies those that come after it."""


STATEMENTS = (
    # A task with a format has its audio in a file; one without was only told of.
    """
    CREATE TABLE stt_tasks (
        task_id          text PRIMARY KEY,
        session_id       text NOT NULL REFERENCES sessions ON DELETE CASCADE,
        audio_chunk_id   text NOT NULL,
        duration_seconds double precision,
        status           text NOT NULL DEFAULT 'pending'
            CHECK (status IN ('pending', 'processing', 'done', 'failed')),
        progress         double precision NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
        transcript       text,
        words            jsonb NOT NULL DEFAULT '[]',
        error            text,
        audio_format     text CHECK (audio_format IN ('wav', 'flac', 'ogg', 'webm', 'mp4')),
        audio_bytes      bigint,
        language         text,
        grammar          text,
        started_at       timestamptz,
        speaker          text,
        makes_note       boolean NOT NULL DEFAULT false,
        note_id          text,
        job_id           bigint,
        attempts         integer NOT NULL DEFAULT 0,
        created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
        author           text NOT NULL
    )
    """,
    "CREATE INDEX stt_tasks_of_session ON stt_tasks (session_id, created_at DESC, task_id DESC)",
    # The same audio sent twice is one task.
    """
    CREATE UNIQUE INDEX stt_tasks_of_audio ON stt_tasks (session_id, audio_chunk_id)
    WHERE audio_format IS NOT NULL
    """,
    """
    CREATE INDEX stt_tasks_with_audio ON stt_tasks (updated_at)
    WHERE audio_format IS NOT NULL AND status IN ('done', 'failed')
    """,
)


def upgrade() -> None:
    """Apply procrastinate's migrations from the first to the newest that was there, and ours."""
    # Its whole schema at once would be that of whichever release is installed when a database is
    # made, and later migrations would not know what they find.
    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    for file in files:
        if file.name <= NEWEST:
            _run_script(file.read_text(encoding="utf-8"))
    for statement in STATEMENTS:
        op.execute(statement)


def _run_script(text: str) -> None:
    """Run many statements at once, in the transaction of the migration."""

    async def execute(connection: asyncpg.Connection) -> None:
        await connection.execute(text)

    adapted: Any = op.get_bind().connection.dbapi_connection
    adapted.run_async(execute)
