/* Lists of the API: a time range as it is asked for, and all pages of a list. */

/** One day of minutes is two pages; more means a cursor that does not advance. */
const PAGES_MAX = 8;

export interface TimeRange {
  start: number;
  end?: number;
}

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

const iso = (time: number): string => new Date(time).toISOString();
export const during = ({ start, end }: TimeRange) => ({
  start: iso(start),
  ...(end === undefined ? {} : { end: iso(end) }),
});

/** Follow the cursor until the list ends. */
export async function readAll<T>(ask: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await ask(cursor);
    rows.push(...answer.data);
    cursor = answer.next_cursor ?? undefined;
    if (!cursor) break;
  }
  return rows;
}
