/* The questions of the moments page. */
import { countMinutes, makePoint, measureOf, pointOf, type Counted, type Minute, type Point } from './moment-course';
import { SCORES, type FeedFilter, type MomentState } from './feed-filter';
import { client, read } from './http';
import { during, readAll } from './lists';
import type { Span } from './minutes';
import type { Moment, MomentWish } from './types';

/** Rows of one page of the feed. */
const PAGE = 50;
const MINUTES = { limit: 1000, resolution: '1m' } as const;

const path = (moment: Pick<Moment, 'moment_id'>) => ({ moment_id: moment.moment_id });

export const momentsApi = {
  list(
    { type, severity, stream, before }: FeedFilter,
    state: MomentState | null,
    cursor: string | undefined,
    signal: AbortSignal,
  ) {
    const query = {
      state,
      type: type as Moment['moment_type'] as never,
      min_score: SCORES[severity],
      limit: PAGE,
      cursor,
      ...(before === null ? {} : { end: new Date(before).toISOString() }),
    };
    return stream === null
      ? read(client.GET('/api/v1/moments', { params: { query }, signal }))
      : read(
          client.GET('/api/v1/streams/{stream_id}/moments', {
            params: { path: { stream_id: stream }, query },
            signal,
          }),
        );
  },

  /** `version` is the one that was seen: it is refused when somebody else was faster. */
  change: (moment: Pick<Moment, 'moment_id'>, body: MomentWish, version: number | null) =>
    read(
      client.PATCH('/api/v1/moments/{moment_id}', {
        params: {
          path: path(moment),
          header: version === null ? {} : { 'if-match': `"${version}"` },
        },
        body,
      }),
    ),

  listMinutes: (stream_id: string, { from, to }: Span, signal: AbortSignal) =>
    readAll((cursor) =>
      read(
        client.GET('/api/v1/streams/{stream_id}/metrics', {
          params: {
            path: { stream_id },
            query: { ...during({ start: from, end: to }), ...MINUTES, cursor },
          },
          signal,
        }),
      ),
    ),

  listChannelMinutes: (
    stream_id: string,
    channel: string,
    { from, to }: Span,
    signal: AbortSignal,
  ) =>
    readAll((cursor) =>
      read(
        client.GET('/api/v1/streams/{stream_id}/channels/{channel}/metrics', {
          params: {
            path: { stream_id, channel },
            query: { ...during({ start: from, end: to }), ...MINUTES, cursor },
          },
          signal,
        }),
      ),
    ),

  listTransactionMinutes: (stream_id: string, { from, to }: Span, signal: AbortSignal) =>
    readAll((cursor) =>
      read(
        client.GET('/api/v1/streams/{stream_id}/transactions/minutes', {
          params: {
            path: { stream_id },
            query: { ...during({ start: from, end: to }), limit: 1000, cursor },
          },
          signal,
        }),
      ),
    ),
};

/** The minutes of what a moment is about. */
export async function readCourse(
  moment: Moment,
  span: Span,
  now: number,
  signal: AbortSignal,
): Promise<Point[]> {
  const [measure, stream] = [measureOf(moment), moment.stream_id];
  if (measure === 'channel') {
    const rows = await momentsApi.listChannelMinutes(stream, moment.metric_name, span, signal);
    return rows.map((row) => makePoint(row as Minute, row.mean));
  }
  if (measure === 'transactions')
    return countMinutes(await momentsApi.listTransactionMinutes(stream, span, signal), span, now);
  const rows = await momentsApi.listMinutes(stream, span, signal);
  return rows.flatMap((row) => pointOf(measure, row as Counted) ?? []);
}
