/* The questions that the page asks the API. */
import { client, read } from './http';
import { during, readAll, type TimeRange } from './lists';
import type { ChannelMinute, Health, MinuteRow, Moment, MomentAction, OverviewPage } from './types';

/** The charts append live minutes, so what they begin with is minutes too. */
const MINUTES = { limit: 1000, resolution: '1m' } as const;
/** What a list can show and sort; a cursor that does not advance ends here, too. */
const OVERVIEW_PAGES_MAX = 10;

export const api = {
  /** All streams in columns, a page of a thousand after the other; with `minutes` also their
      rates in so many minutes until now. */
  readOverview: async (minutes: number, signal?: AbortSignal) => {
    const pages: OverviewPage[] = [];
    let cursor: string | undefined;
    do {
      const query = { minutes, cursor };
      const page = await read(client.GET('/api/v1/overview', { params: { query }, signal }));
      pages.push(page);
      cursor = page.next_cursor ?? undefined;
    } while (cursor && pages.length < OVERVIEW_PAGES_MAX);
    return pages;
  },

  findStreams: async (q: string, limit: number, signal?: AbortSignal) =>
    (
      await read(client.GET('/api/v1/streams', { params: { query: { q, limit } }, signal }))
    ).data,

  getStream: (stream_id: string, signal?: AbortSignal) =>
    read(client.GET('/api/v1/streams/{stream_id}', { params: { path: { stream_id } }, signal })),

  listMinutes: (stream_id: string, range: TimeRange, signal?: AbortSignal) =>
    readAll((cursor) =>
      read(
        client.GET('/api/v1/streams/{stream_id}/metrics', {
          params: { path: { stream_id }, query: { ...during(range), ...MINUTES, cursor } },
          signal,
        }),
      ),
    ) as Promise<MinuteRow[]>,

  listMoments: async (stream_id: string, range: TimeRange, signal?: AbortSignal) =>
    (
      await read(
        client.GET('/api/v1/streams/{stream_id}/moments', {
          params: { path: { stream_id }, query: { ...during(range), limit: 200 } },
          signal,
        }),
      )
    ).data,

  /** One list a state, since the API names one state a list. */
  listMomentsIn: async (states: readonly Moment['state'][], signal?: AbortSignal) =>
    (
      await Promise.all(
        states.map((state) =>
          read(client.GET('/api/v1/moments', { params: { query: { state, limit: 200 } }, signal })),
        ),
      )
    ).flatMap((page) => page.data),

  getMoment: (moment_id: string) =>
    read(client.GET('/api/v1/moments/{moment_id}', { params: { path: { moment_id } } })),

  actOnMoment: (moment_id: string, action: MomentAction) =>
    read(
      client.PATCH('/api/v1/moments/{moment_id}', {
        params: { path: { moment_id } },
        body: { action },
      }),
    ),

  listDeliveries: async (moment_id: string, signal?: AbortSignal) =>
    (
      await read(
        client.GET('/api/v1/deliveries', { params: { query: { moment_id, limit: 50 } }, signal }),
      )
    ).data,

  listRoutes: async (signal?: AbortSignal) =>
    (
      await read(client.GET('/api/v1/alert-routes', { params: { query: { limit: 200 } }, signal }))
    ).data,

  listChannels: async (stream_id: string, signal?: AbortSignal) =>
    (
      await read(
        client.GET('/api/v1/streams/{stream_id}/channels', {
          params: { path: { stream_id } },
          signal,
        }),
      )
    ).data,

  listChannelMinutes: (
    stream_id: string,
    channel: string,
    range: TimeRange,
    signal?: AbortSignal,
  ) =>
    readAll((cursor) =>
      read(
        client.GET('/api/v1/streams/{stream_id}/channels/{channel}/metrics', {
          params: { path: { stream_id, channel }, query: { ...during(range), ...MINUTES, cursor } },
          signal,
        }),
      ),
    ) as Promise<ChannelMinute[]>,

  /** What opens one socket, and what its owner may do; with a key, whether that key is good and may
      read. */
  getTicket: (key?: string) =>
    read(
      client.POST('/api/v1/tickets', {
        headers: key ? { authorization: `Bearer ${key}` } : {},
      }),
    ),

  /** Health answers 503 with a body when a part is down; that body is what the page wants. */
  getHealth: async (signal?: AbortSignal): Promise<Health | null> => {
    const { data, error } = await client.GET('/api/v1/health', { signal });
    return data ?? error ?? null;
  },
};
