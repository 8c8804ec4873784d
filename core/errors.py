"""Errors: one tree, each with a status and a code.

Raised anywhere, rendered in one place: ``api.errors`` makes RFC 9457 problem documents of them,
the command line prints ``detail`` on one line. ``detail`` says what happened and what to do, never
SQL or a secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field of a request."""

    field: str
    reason: str


class TelemetraError(Exception):
    """The root of every error that people are meant to see."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something failed inside Telemetra"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s


class SettingsInvalidError(TelemetraError):
    """A setting has a value that is not allowed; the start is refused."""

    code = "settings_invalid"
    title = "A setting is wrong"


class ServiceMissingError(TelemetraError):
    """A server that Telemetra needs was found nowhere, or did not start."""

    status = 503
    code = "service_missing"
    title = "A service is missing"


class BadRequestError(TelemetraError):
    """The request cannot be understood."""

    status = 400
    code = "bad_request"
    title = "The request cannot be understood"


class PartialWriteError(BadRequestError):
    """Some rows were refused, in a protocol that has no other way to say so; others were taken."""

    code = "partial_write"
    title = "Some rows were refused, the others taken"


class InvalidError(TelemetraError):
    """The request is well formed, and a value in it is not allowed."""

    status = 422
    code = "invalid"
    title = "A value is not allowed"


class UnauthorizedError(TelemetraError):
    """No good key was shown. Which keys there are is nobody's business."""

    status = 401
    code = "unauthorized"
    title = "A key is needed"


class ForbiddenError(TelemetraError):
    """The key that was shown does not allow this."""

    status = 403
    code = "forbidden"
    title = "The key does not allow this"


class NotFoundError(TelemetraError):
    """The thing asked for does not exist."""

    status = 404
    code = "not_found"
    title = "Not found"


class ConflictError(TelemetraError):
    """The request contradicts an earlier one."""

    status = 409
    code = "conflict"
    title = "The request contradicts an earlier one"


class PreconditionFailedError(TelemetraError):
    """The thing has changed since the client read it."""

    status = 412
    code = "precondition_failed"
    title = "It has changed meanwhile"


class TooLargeError(TelemetraError):
    """The body is over the size limit."""

    status = 413
    code = "too_large"
    title = "The body is too large"


class UnsupportedMediaError(TelemetraError):
    """The body is in a format that this endpoint does not read."""

    status = 415
    code = "unsupported_media"
    title = "The format is not supported"


class RateLimitedError(TelemetraError):
    """One caller asked too often; the others are not held up."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"


class QueueFullError(TelemetraError):
    """So many jobs wait already that another would wait for too long."""

    status = 429
    code = "queue_full"
    title = "Too many jobs are waiting"


class BusFullError(TelemetraError):
    """The bus holds as much as it may; the sender has to wait."""

    status = 429
    code = "bus_full"
    title = "Too many events are waiting"


class BusWaitError(BusFullError):
    """The same, for senders that give up what is answered with 429."""

    status = 503


class BusAwayError(TelemetraError):
    """The bus cannot be reached; nothing was accepted."""

    status = 503
    code = "bus_away"
    title = "The bus is away"


class RoomFullError(TelemetraError):
    """So many bodies are held at once that there is no room for another."""

    status = 503
    code = "too_many_bodies"
    title = "Too many bodies at once"


class DatabaseAwayError(TelemetraError):
    """The database cannot be reached or did not answer in time."""

    status = 503
    code = "database_away"
    title = "The database is away"


class DatabaseBusyError(DatabaseAwayError):
    """So many requests wait for the database that this one is not let in; old answers may do."""

    code = "database_busy"
    title = "The database is busy"


class StorageFullError(TelemetraError):
    """The disk has no room for what was sent."""

    status = 507
    code = "storage_full"
    title = "The disk is full"


class LiveFullError(TelemetraError):
    """There are as many live connections as there may be."""

    status = 503
    code = "live_full"
    title = "Too many live connections"
