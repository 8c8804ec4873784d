"""Fields: the fields of JSON messages by all the names they may have, as text and as lists.

Lists of emotes and badges come as lists of texts, as lists of objects that have a name, or as
words in a text; all become lists of texts. A message that is none, or odd, changes nothing for the
others of its batch.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from core.json_objects import Objects, read_objects, read_together

LISTS: Final = ("emotes", "badges")

_NAME_OF_OBJECT: Final = r'"(?:name|code|text|emote|badge)": "(.+?)"(?:, "|\}$)'
"""The JSON of an object in a list has its quotes escaped, and nothing else."""


def read_fields(texts: Sequence[bytes], names: Iterable[str]) -> Objects:
    """Return fields by their names in the messages: lists of texts, and texts."""
    as_texts = pl.Schema(dict.fromkeys(names, pl.String()))
    lists = [name for name in LISTS if name in as_texts]
    schema = pl.Schema({**as_texts, **dict.fromkeys(lists, pl.List(pl.String()))})
    frame = read_together(texts, schema)
    if frame is not None:
        indexes = pl.int_range(frame.height, dtype=pl.get_index_type(), eager=True)
        return Objects(frame.with_columns(map(_name_items, lists)), indexes, [])
    found = read_objects(texts, as_texts)
    if not lists:
        return found
    return _read_lists_apart(texts, found, schema, lists)


def _read_lists_apart(
    texts: Sequence[bytes], found: Objects, schema: pl.Schema, lists: Sequence[str]
) -> Objects:
    """Read lists as lists where there are some, and as words elsewhere."""
    is_listed = found.fields.select(
        pl.all_horizontal(pl.col(name).str.starts_with("[").fill_null(value=True) for name in lists)
    ).to_series()
    listed = found.indexes.filter(is_listed)
    frame = read_together([texts[index] for index in listed], schema)
    if frame is None:
        # A text that only begins like a list.
        return found._replace(fields=found.fields.with_columns(map(_split_words, lists)))
    others = found.fields.filter(~is_listed).with_columns(map(_split_words, lists))
    fields = pl.concat([frame.with_columns(map(_name_items, lists)), others])
    return Objects(fields, pl.concat([listed, found.indexes.filter(~is_listed)]), found.rejected)


def _name_items(name: str) -> pl.Expr:
    item = pl.element()
    said = item.str.extract(_NAME_OF_OBJECT).str.replace_all(r"\"", '"', literal=True)
    named = pl.when(item.str.starts_with("{")).then(said).otherwise(item)
    return pl.col(name).list.eval(named).list.drop_nulls()


def _split_words(name: str) -> pl.Expr:
    """Build the words of a text; what an object says is how often, and is left to the text."""
    words = pl.col(name).str.replace_all(r'[\[\]",]', " ").str.extract_all(r"\S+")
    return pl.when(~pl.col(name).str.contains("{", literal=True)).then(words).alias(name)
