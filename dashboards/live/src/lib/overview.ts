/* What the overview knows of each stream: the newest minute without what no row shows, and the
   columns of the API as such minutes. */
import { MINUTE } from './format';
import type { LatestMinute, OverviewPage } from './types';

/** The newest minute of a stream, as a row shows it. */
export type RowMinute = Pick<
  LatestMinute,
  | 'window_start'
  | 'chat_rate'
  | 'avg_viewers'
  | 'avg_sentiment'
  | 'z_score'
  | 'is_anomaly'
  | 'revision'
  | 'final'
>;

export interface StreamFacts {
  id: string;
  title: string | null;
  kind: string;
  isLive: boolean;
  lastEventAt: number | null;
  minute: RowMinute | null;
}

/** Columns as what is known of each stream. */
export function readColumns({ data }: OverviewPage): StreamFacts[] {
  return data.id.map((id, k) => {
    const last = data.last_event_at[k];
    const start = data.window_start[k];
    return {
      id,
      title: data.title[k] ?? null,
      kind: data.kind[k]!,
      isLive: data.is_live[k]!,
      lastEventAt: last ? Date.parse(last) : null,
      minute: start
        ? {
            window_start: start,
            chat_rate: data.chat_rate[k]!,
            avg_viewers: data.avg_viewers[k] ?? null,
            avg_sentiment: data.avg_sentiment[k] ?? null,
            z_score: data.z_score[k] ?? null,
            is_anomaly: data.is_anomaly[k]!,
            revision: data.revision[k]!,
            final: data.final[k]!,
          }
        : null,
    };
  });
}

/** A minute that has only begun does not know its viewers and its z-score yet: until then they
    stand as they were a minute before. */
export function carryRow(row: RowMinute, before: RowMinute | null): RowMinute {
  if (row.final || !before) return row;
  if (Date.parse(row.window_start) - Date.parse(before.window_start) !== MINUTE) return row;
  return {
    ...row,
    avg_viewers: row.avg_viewers ?? before.avg_viewers,
    z_score: row.z_score ?? before.z_score,
  };
}
