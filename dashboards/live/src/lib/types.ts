/* What the API sends, by the names of the page. Answers are typed by the API's own description,
   from which `npm run types` makes generated/api.d.ts; live messages are told in docs/live.md. Times
   are ISO 8601 strings; the stores turn them into milliseconds once, where they arrive. */
import type { components } from '../../generated/api';

type Schemas = components['schemas'];

/** Of single minutes, which is all the page asks for, both are known. */
type Judged = { final: boolean; is_anomaly: boolean };

/** One stream in one minute; `final` is false while the minute is open. */
export type MinuteRow = Omit<Schemas['MetricsRow'], keyof Judged> & Judged;
/** The newest minute of a stream in a list: without its emotes and its name. */
export type LatestMinute = Schemas['StreamLatest'];
export type StreamInfo = Schemas['StreamOut'];
/** Streams in columns, as the overview reads them. */
export type OverviewPage = Schemas['OverviewPage'];
export type EmoteCount = Schemas['EmoteCount'];
export type Moment = Schemas['MomentOut'];
export type MomentDetail = Schemas['MomentDetailOut'];
export type LifeEntry = Schemas['LifeEntryOut'];
export type MomentWish = Schemas['MomentIn'];
export type MomentAction = NonNullable<Schemas['MomentIn']['action']>;
export type Delivery = Schemas['DeliveryOut'];
export type Channel = Schemas['ChannelOut'];
export type ChannelMinute = Omit<Schemas['ChannelRow'], keyof Judged> & Judged;
export type Health = Schemas['HealthOut'];
export type ProblemDocument = Schemas['Problem'];

export interface Reading {
  channel: string;
  unit: string | null;
  value: number;
  timestamp: string;
}

/** One message of a chat as it was written. */
export interface ChatMessage {
  at: string;
  user: string;
  text: string;
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
    | { type: 'chat'; stream_id: string; data: { messages: ChatMessage[] } }
    | { type: 'stream'; stream_id: string; data: { state: 'live' | 'silent' | 'deleted' } }
    | { type: 'dropped'; count: number; replaced: number }
    | { type: 'resumed'; complete: boolean; position?: number }
    | { type: 'reconnect'; delay_ms: number }
    | { type: 'error'; detail: string }
  );
