"""Preparations: what can be done with a batch before its turn, because it needs no state.

batch -> decode -> words of the texts by number -> Prepared -> reduce_events
"""

from dataclasses import dataclass

from core.batches import Batch, Decoded, decode_batch
from core.words import NumberedTexts, number_texts


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that only waits for what is known of its shard."""

    decoded: Decoded
    texts: NumberedTexts | None
    """Those of all its events, where any has one."""


def prepare(batch: Batch) -> Prepared:
    """Decode a batch and find the words in it."""
    return prepare_decoded(decode_batch(batch))


def prepare_decoded(decoded: Decoded) -> Prepared:
    """Find the words in the texts of events."""
    events = decoded.events
    texts = number_texts(events["text"]) if "text" in events.columns else None
    return Prepared(decoded, texts)
