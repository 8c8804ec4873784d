/* What a chart is, as boards keep it, and back: the only place that knows both. */
import type { ChartOf } from '../charts/metrics';
import type { ChartTile, Subject } from './boards';
import { OFFSETS, type Compare } from './compare';

export function subjectFor({ stream, metric, channel }: ChartOf, compare: Compare | null): Subject {
  return {
    kind: metric,
    stream_id: stream,
    ...(channel === undefined ? {} : { channel }),
    compare: keepCompare(compare),
  };
}

export function chartFor(tile: ChartTile): ChartOf {
  const { stream_id: stream, kind: metric } = tile;
  return { stream, metric, ...(tile.kind === 'channel' ? { channel: tile.channel } : {}) };
}

function keepCompare(compare: Compare | null): ChartTile['compare'] {
  if (!compare) return null;
  if ('stream' in compare) return { stream_id: compare.stream };
  const kept = OFFSETS_KEPT.find((seconds) => seconds * 1000 === compare.ms);
  return kept === undefined ? null : { offset_s: kept };
}

export function compareFor(kept: ChartTile['compare']): Compare | null {
  if (!kept) return null;
  if ('stream_id' in kept) return { stream: kept.stream_id };
  const offset = OFFSETS.find((one) => one.ms === kept.offset_s * 1000);
  return offset ? { offset: offset.key, ms: offset.ms } : null;
}

/** What the server knows; the page offers the same. */
const OFFSETS_KEPT = [3600, 86_400, 604_800] as const;
