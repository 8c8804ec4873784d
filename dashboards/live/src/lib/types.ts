/* What the API sends, as its answers and live messages name it. Times are ISO 8601 strings; the
   stores turn them into milliseconds once, where they arrive. */

export interface EmoteCount {
  emote: string;
  count: number;
}

/** One stream in one minute; `final` is false while the minute is open. */
export interface MinuteRow {
  stream_id: string;
  window_start: string;
  window_end: string;
  chat_count: number;
  unique_chatters: number;
  top_emotes: EmoteCount[] | null;
  avg_sentiment: number | null;
  chat_rate: number;
  avg_viewers: number | null;
  peak_viewers: number | null;
  z_score: number | null;
  is_anomaly: boolean;
  revision: number;
  final: boolean;
}

export interface StreamInfo {
  id: string;
  title: string | null;
  kind: string | null;
  created_at: string;
  updated_at: string;
  last_event_at: string | null;
  is_live: boolean;
  latest: MinuteRow | null;
}

export interface Moment {
  moment_id: string;
  stream_id: string;
  timestamp: string;
  started_at: string;
  peak_at: string | null;
  ended_at: string | null;
  moment_type: string;
  metric_name: string;
  metric_value: number | null;
  expected: number | null;
  threshold: number | null;
  z_score: number | null;
  score: number;
  direction: 'up' | 'down' | null;
  state: 'open' | 'acknowledged' | 'shelved' | 'resolved' | string;
  description: string | null;
  reasons: unknown[] | null;
  metadata: Record<string, unknown> | null;
}

export interface Channel {
  channel: string;
  unit: string | null;
  last_value: number | null;
  last_at: string | null;
}

export interface ChannelMinute {
  stream_id: string;
  channel: string;
  window_start: string;
  window_end: string;
  count: number;
  mean: number | null;
  min: number | null;
  max: number | null;
  stddev: number | null;
  p50: number | null;
  p95: number | null;
  last: number | null;
  z_score: number | null;
  is_anomaly: boolean;
  revision: number;
  final: boolean;
}

export interface Part {
  status: string;
  latency_ms?: number | null;
  detail?: string | null;
}

export interface Health {
  status: 'ok' | 'degraded' | 'error';
  timestamp: string;
  version: string;
  database: Part;
  redis: Part;
  flow: Part & { events_per_second?: number | null; lag_ms?: number | null };
}

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export interface Reading {
  channel: string;
  unit: string | null;
  value: number;
  timestamp: string;
}

interface Envelope {
  seq: number;
  timestamp: string;
}

export type LiveMessage = Envelope &
  (
    | { type: 'connected' | 'ping' | 'pong' }
    | { type: 'metrics' | 'minute'; stream_id: string; data: MinuteRow }
    | { type: 'moment'; stream_id: string; data: Moment }
    | { type: 'reading'; stream_id: string; data: Reading }
    | { type: 'stream'; stream_id: string; data: { state: 'live' | 'silent' } }
    | { type: 'dropped'; count: number; replaced: number }
    | { type: 'resumed'; complete: boolean; position?: number }
    | { type: 'reconnect'; delay_ms: number }
    | { type: 'error'; detail: string }
  );
