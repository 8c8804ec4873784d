/* The typed door to the HTTP API. Every failure leaves here as a Problem, the shape of RFC 9457, so
   that a view has one thing to show whatever went wrong. */
import { text } from './text';
import type { Channel, ChannelMinute, Health, MinuteRow, Moment, Page, StreamInfo } from './types';

/** A request that hangs longer than this is worse than one that failed: the reader sees no
    reason. */
const TIMEOUT_MS = 10_000;
/** The charts append live minutes, so what they begin with is minutes too. */
const MINUTES = { limit: 1000, resolution: '1m' };
/** One day of minutes is two pages; more means a cursor that does not advance. */
const PAGES_MAX = 8;

export class Problem extends Error {
  constructor(
    readonly title: string,
    readonly detail: string,
    readonly status: number,
    readonly path: string,
    readonly type = 'about:blank',
  ) {
    super(title);
  }
}

export interface TimeRange {
  start: number;
  end?: number;
}

async function readProblem(response: Response, path: string): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const doc = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const word = (key: string, other: string): string =>
    typeof doc[key] === 'string' ? (doc[key] as string) : other;
  return new Problem(
    word('title', text.problem.status(response.status)),
    word('detail', text.problem.noDetail),
    response.status,
    path,
    word('type', 'about:blank'),
  );
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(path, {
      headers: { accept: 'application/json' },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw timeout.aborted
      ? new Problem(text.problem.slowTitle, text.problem.slow(TIMEOUT_MS / 1000), 0, path)
      : new Problem(text.problem.unreachableTitle, text.problem.unreachable, 0, path);
  }
  if (!response.ok) throw await readProblem(response, path);
  try {
    return (await response.json()) as T;
  } catch {
    throw new Problem(text.problem.notJsonTitle, text.problem.notJson, response.status, path);
  }
}

const iso = (time: number): string => new Date(time).toISOString();
const at = (id: string): string => `/api/v1/streams/${encodeURIComponent(id)}`;

function query(range: TimeRange, more: Record<string, string | number>): string {
  const params = new URLSearchParams({ start: iso(range.start) });
  if (range.end !== undefined) params.set('end', iso(range.end));
  for (const [key, value] of Object.entries(more)) params.set(key, String(value));
  return params.toString();
}

/** Follow the cursor until the list ends. */
async function getAll<T>(path: string, params: string, signal?: AbortSignal): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const more: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    const answer: Page<T> = await get<Page<T>>(`${path}?${params}${more}`, signal);
    rows.push(...answer.data);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  return rows;
}

/** Whether a failure is only the abort of a request that is no longer wanted. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Anything thrown, as something that can be shown. */
export function toProblem(error: unknown): Problem {
  return error instanceof Problem
    ? error
    : new Problem(text.problem.unknownTitle, String(error), 0, location.pathname);
}

export const api = {
  listStreams: (signal?: AbortSignal) => getAll<StreamInfo>('/api/v1/streams', 'limit=500', signal),

  getStream: (id: string, signal?: AbortSignal) => get<StreamInfo>(at(id), signal),

  listMinutes: (id: string, range: TimeRange, signal?: AbortSignal) =>
    getAll<MinuteRow>(`${at(id)}/metrics`, query(range, MINUTES), signal),

  listMoments: async (id: string, range: TimeRange, signal?: AbortSignal) =>
    (await get<Page<Moment>>(`${at(id)}/moments?${query(range, { limit: 200 })}`, signal)).data,

  listOpenMoments: async (signal?: AbortSignal) =>
    (await get<Page<Moment>>('/api/v1/moments?state=open&limit=200', signal)).data,

  listChannels: async (id: string, signal?: AbortSignal) =>
    (await get<Page<Channel>>(`${at(id)}/channels`, signal)).data,

  listChannelMinutes: (id: string, channel: string, range: TimeRange, signal?: AbortSignal) =>
    getAll<ChannelMinute>(
      `${at(id)}/channels/${encodeURIComponent(channel)}/metrics`,
      query(range, MINUTES),
      signal,
    ),

  /** Health answers 503 with a body when a part is down; that body is what the page wants. */
  getHealth: async (signal?: AbortSignal): Promise<Health | null> => {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch('/api/v1/health', {
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    const body = (await response.json()) as Partial<Health>;
    return body.database && body.flow ? (body as Health) : null;
  },
};
