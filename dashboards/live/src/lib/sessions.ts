/* Sessions in a list: which a filter shows, and how they are told. Pure. */
import type { Session, SessionStatus } from './session-types';

export const NAME_MAX = 200;
export const DESCRIPTION_MAX = 10_000;
export const STREAMS_MAX = 50;
/** As many signs as the server looks for. */
export const WORDS_MAX = 500;

export interface SessionFilter {
  words: string;
  status: SessionStatus | null;
}

export function readFilter(query: URLSearchParams): SessionFilter {
  const status = query.get('status');
  return {
    words: query.get('q') ?? '',
    status: status === 'active' || status === 'ended' ? status : null,
  };
}

/** Every word stands somewhere in what people call the session by. */
export function isWanted(session: Session, { words, status }: SessionFilter): boolean {
  if (status && session.status !== status) return false;
  const said = [session.name, session.description, session.id, ...session.stream_ids]
    .join('\n')
    .toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}

/** Newest first, each once. */
export function mergeFound(here: readonly Session[], found: readonly Session[]): Session[] {
  const known = new Set(here.map(({ id }) => id));
  const startOf = (one: Session): number => Date.parse(one.started_at);
  return [...here, ...found.filter(({ id }) => !known.has(id))].sort(
    (a, b) => startOf(b) - startOf(a),
  );
}

export const lastingOf = (session: Session, now: number): number =>
  Math.max(
    0,
    (session.ended_at ? Date.parse(session.ended_at) : now) - Date.parse(session.started_at),
  );

export interface LaneItem {
  from: number;
  to: number;
}

/** In which row each item stands so that none covers another; more rows than that share the last. */
export function stackRows(items: readonly LaneItem[], rowsMax: number): number[] {
  const ends: number[] = [];
  return items.map(({ from, to }) => {
    const free = ends.findIndex((end) => end <= from);
    const row = free >= 0 ? free : Math.min(ends.length, rowsMax - 1);
    ends[row] = Math.max(ends[row] ?? -Infinity, to);
    return row;
  });
}

/** First letter of whoever wrote it; S for what the system wrote. */
export const initialOf = (type: string, name: string): string =>
  type === 'system' ? 'S' : ([...name.trim()][0] ?? '·').toUpperCase();
