/* Several lists of the API read as one, newest first. The API names one state a list, so that two
   states are two lists, each read page by page; what the slowest of them has not reached yet may
   have others in between and is held back. */
import type { Moment } from './types';

type Place = Pick<Moment, 'timestamp' | 'moment_id'>;

export interface Source<State> {
  /** What the list is asked for; null of all of them in one. */
  state: State | null;
  cursor: string | undefined;
  /** The last one that was read. */
  reached: Place | null;
  done: boolean;
}

interface Page {
  data: readonly Place[];
  next_cursor: string | null;
}

/** As the API sorts: newest first, and of one minute by name. */
export function comparePlaces(a: Place, b: Place): number {
  return (
    Date.parse(b.timestamp) - Date.parse(a.timestamp) ||
    (a.moment_id < b.moment_id ? -1 : Number(a.moment_id > b.moment_id))
  );
}

/** One list for each state, or a single one for all of them. */
export function openSources<State>(
  states: readonly State[],
  all: readonly State[],
): Source<State>[] {
  const asked = states.length === all.length ? [null] : states;
  return asked.map((state) => ({ state, cursor: undefined, reached: null, done: false }));
}

export function advance<State>(source: Source<State>, page: Page): void {
  source.cursor = page.next_cursor ?? undefined;
  source.reached = page.data.at(-1) ?? source.reached;
  source.done = page.next_cursor === null;
}

/** Down to where all lists are known; null: to their end. */
export function findFloor<State>(sources: readonly Source<State>[]): Place | null {
  const reached = sources.flatMap((one) => (one.done || !one.reached ? [] : [one.reached]));
  return reached.sort(comparePlaces)[0] ?? null;
}

/** Which lists to read on: those that hold the others back. */
export function listLagging<State>(sources: readonly Source<State>[]): Source<State>[] {
  const floor = findFloor(sources);
  return sources.filter(
    (one) =>
      !one.done && (!one.reached || !floor || comparePlaces(one.reached, floor) <= 0),
  );
}
