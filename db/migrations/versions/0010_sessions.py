"""Sessions, the streams that they look at, their notes, and the earlier versions of these."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    """
    CREATE TABLE sessions (
        session_id    text PRIMARY KEY,
        name          text NOT NULL,
        description   text NOT NULL,
        status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'ended')),
        started_at    timestamptz NOT NULL,
        ended_at      timestamptz,
        summary       jsonb,
        note_count    integer NOT NULL DEFAULT 0,
        notes_written integer NOT NULL DEFAULT 0,
        created_by    text NOT NULL,
        updated_at    timestamptz NOT NULL DEFAULT now(),
        updated_by    text NOT NULL,
        CHECK ((status = 'ended') = (ended_at IS NOT NULL))
    )
    """,
    "CREATE INDEX sessions_by_start ON sessions (started_at DESC, session_id DESC)",
    "CREATE INDEX sessions_by_end ON sessions (coalesce(ended_at, 'infinity') DESC)",
    # A stream that a session looks at need not exist yet, and may be deleted.
    """
    CREATE TABLE session_streams (
        session_id text NOT NULL REFERENCES sessions ON DELETE CASCADE,
        stream_id  text NOT NULL,
        place      integer NOT NULL,
        PRIMARY KEY (session_id, stream_id)
    )
    """,
    # Words are found as they stand and by their stems; nobody is asked which language it is.
    """
    CREATE TABLE notes (
        note_id            text PRIMARY KEY,
        number             bigint GENERATED ALWAYS AS IDENTITY,
        session_id         text NOT NULL REFERENCES sessions ON DELETE CASCADE,
        timestamp          timestamptz NOT NULL,
        speaker            text,
        content            text NOT NULL,
        type               text NOT NULL CHECK (type IN ('observation', 'command', 'system')),
        tags               text[] NOT NULL DEFAULT '{}',
        telemetry_snapshot jsonb NOT NULL DEFAULT '{}',
        author             text NOT NULL,
        moment_id          text,
        moment_at          timestamptz,
        moment_revision    bigint,
        version            integer NOT NULL DEFAULT 1,
        created_at         timestamptz NOT NULL DEFAULT now(),
        updated_at         timestamptz NOT NULL DEFAULT now(),
        updated_by         text NOT NULL,
        deleted_at         timestamptz,
        words              tsvector GENERATED ALWAYS AS (
            to_tsvector('simple', left(content, 30000))
            || to_tsvector('english', left(content, 30000))
        ) STORED,
        UNIQUE (session_id, moment_id)
    )
    """,
    "CREATE INDEX notes_by_time ON notes (session_id, timestamp, number)",
    "CREATE INDEX notes_by_words ON notes USING gin (words)",
    """
    CREATE TABLE note_versions (
        note_id            text NOT NULL REFERENCES notes ON DELETE CASCADE,
        version            integer NOT NULL,
        timestamp          timestamptz NOT NULL,
        speaker            text,
        content            text NOT NULL,
        type               text NOT NULL,
        tags               text[] NOT NULL,
        telemetry_snapshot jsonb NOT NULL,
        written_at         timestamptz NOT NULL,
        written_by         text NOT NULL,
        replaced_at        timestamptz NOT NULL DEFAULT now(),
        replaced_by        text NOT NULL,
        PRIMARY KEY (note_id, version)
    )
    """,
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
