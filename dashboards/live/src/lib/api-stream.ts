/* The questions that charts ask: wide ranges in coarser windows with their extremes, transactions
   by the minute, and curves to compare with. */
import type { components } from '../../generated/api';
import { client, read } from './http';
import { during, readAll, type TimeRange } from './lists';

type Schemas = components['schemas'];
export type WindowRow = Schemas['MetricsRow'];
export type ChannelWindow = Schemas['ChannelRow'];
export type TransactionMinute = Schemas['TransactionMinute'];
export type Comparison = Schemas['Comparison'];
export type ResolutionName = Comparison['resolution'];

/** The line of a wide range: the API picks a width that gives no more rows than fit in one page. */
const LINE = { limit: 1000, resolution: 'auto' } as const;
/** Its extremes, from finer rows: the most that the API thins a range to. */
export const POINTS = 2000;
const THINNED = { points: POINTS, resolution: 'auto' } as const;
const LISTED = 8;

export const chartApi = {
  /** A wide range twice: even windows for the line, and the extremes of finer ones. */
  listWindows: async (stream_id: string, range: TimeRange, signal?: AbortSignal) => {
    const ask = (how: typeof LINE | typeof THINNED) =>
      read(
        client.GET('/api/v1/streams/{stream_id}/metrics', {
          params: { path: { stream_id }, query: { ...during(range), ...how } },
          signal,
        }),
      );
    const [line, extremes] = await Promise.all([ask(LINE), ask(THINNED)]);
    return { resolution: line.resolution, rows: line.data, extremes: extremes.data };
  },

  listChannelWindows: async (
    stream_id: string,
    channel: string,
    range: TimeRange,
    signal?: AbortSignal,
  ) => {
    const ask = (how: typeof LINE | typeof THINNED) =>
      read(
        client.GET('/api/v1/streams/{stream_id}/channels/{channel}/metrics', {
          params: { path: { stream_id, channel }, query: { ...during(range), ...how } },
          signal,
        }),
      );
    const [line, extremes] = await Promise.all([ask(LINE), ask(THINNED)]);
    return { resolution: line.resolution, rows: line.data, extremes: extremes.data };
  },

  listTransactionMinutes: (stream_id: string, range: TimeRange, signal?: AbortSignal) =>
    readAll((cursor) =>
      read(
        client.GET('/api/v1/streams/{stream_id}/transactions/minutes', {
          params: { path: { stream_id }, query: { ...during(range), limit: 1000, cursor } },
          signal,
        }),
      ),
    ),

  compare: (
    series: string,
    resolution: ResolutionName,
    range: TimeRange,
    signal?: AbortSignal,
  ) =>
    read(
      client.GET('/api/v1/compare', {
        params: { query: { series: [series], ...during(range), resolution, points: POINTS } },
        signal,
      }),
    ),

  findStreams: async (words: string, signal?: AbortSignal) =>
    (
      await read(
        client.GET('/api/v1/streams', {
          params: { query: { limit: LISTED, ...(words ? { q: words } : {}) } },
          signal,
        }),
      )
    ).data,
};
