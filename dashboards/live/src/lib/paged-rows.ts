/* Rows of a list that is read a page at a time: each once, the newest first. Pure. */

export interface Row {
  created_at: string;
}

/** `choose` says which of both counts of one that is known and read anew. Of the same time they
    stay in the order in which they were read. */
export function mergeRows<T extends Row>(
  known: readonly T[],
  read: readonly T[],
  idOf: (row: T) => string,
  choose: (known: T, read: T) => T = (_, row) => row,
): T[] {
  const had = new Map(known.map((row) => [idOf(row), row]));
  const merged = new Map(
    read.map((row) => {
      const one = had.get(idOf(row));
      return [idOf(row), one ? choose(one, row) : row];
    }),
  );
  for (const [id, row] of had) if (!merged.has(id)) merged.set(id, row);
  return [...merged.values()].sort(
    (a, b) =>
      Date.parse(b.created_at) - Date.parse(a.created_at) ||
      // Within a millisecond the digits tell.
      b.created_at.localeCompare(a.created_at),
  );
}
