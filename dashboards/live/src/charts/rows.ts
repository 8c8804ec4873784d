/* Rows of the API as what a chart needs of them: the value of a metric, and between which values it
   lay. Minutes and wider windows are read alike. */
import type { ChannelWindow, WindowRow } from '../lib/api-stream';
import type { Column } from '../lib/columns';
import type { Course, Edged } from '../lib/course';
import { floorMinute } from '../lib/minutes';
import type { MinuteRow, Moment } from '../lib/types';
import type { Metric } from './metrics';

export type OwnRow = Pick<
  MinuteRow,
  'chat_rate' | 'avg_viewers' | 'avg_sentiment' | 'peak_viewers'
>;

/** Over how many seconds the metrics of chat moments count messages. */
const CHAT_SECONDS: Readonly<Record<string, number>> = { chat_rate: 1, chat_count: 60 };

const VALUES: Partial<Record<Metric, (row: OwnRow) => number | null>> = {
  chat: (row) => row.chat_rate,
  viewers: (row) => row.avg_viewers,
  sentiment: (row) => row.avg_sentiment,
};

export const column = <T>(rows: readonly (T | null)[], pick: (row: T) => number | null): Column =>
  rows.map((row) => (row ? pick(row) : null));
export const startOf = (row: { window_start: string }): number => Date.parse(row.window_start);

export function valueOf(metric: Metric, row: OwnRow | ChannelWindow): number | null {
  return 'mean' in row ? row.mean : (VALUES[metric]?.(row) ?? null);
}

export function edgesOf(metric: Metric, row: WindowRow | ChannelWindow): Edged {
  const at = startOf(row);
  if ('mean' in row) return { at, low: row.min, high: row.max };
  const value = valueOf(metric, row);
  return { at, low: value, high: metric === 'viewers' ? row.peak_viewers : value };
}

/** The peaks of chat that became moments: a window of hours knows only its mean. */
export function peaksOf(metric: Metric, moments: readonly Moment[]): Edged[] {
  if (metric !== 'chat') return [];
  return moments.flatMap(({ metric_name, metric_value, peak_at }) => {
    const seconds = CHAT_SECONDS[metric_name];
    if (!seconds) return [];
    const value = metric_value / seconds;
    return [{ at: floorMinute(Date.parse(peak_at)), low: value, high: value }];
  });
}

/** What stands beside the values in tables and files. */
export function moreOf(
  metric: Metric,
  rows: readonly (OwnRow | Pick<ChannelWindow, 'min' | 'max'> | null)[],
): Course['more'] {
  if (metric === 'viewers')
    return [
      {
        name: 'peak_viewers',
        values: column(rows, (row) => ('peak_viewers' in row ? row.peak_viewers : null)),
      },
    ];
  if (metric !== 'channel') return [];
  return (['min', 'max'] as const).map((name) => ({
    name,
    values: column(rows, (row) => ('min' in row ? row[name] : null)),
  }));
}
