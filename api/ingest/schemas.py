"""What ingest answers."""

from pydantic import BaseModel


class RejectedOut(BaseModel):
    """A row that was refused."""

    index: int
    reason: str


class IngestOut(BaseModel):
    """How many rows are on the bus, and which are not, with the reason."""

    accepted: int
    rejected: int
    errors: list[RejectedOut]
