/* What can be drawn of a stream: for each metric its name, its unit, its colour, its scale, and how a
   figure of it is written. */
import { count, measure, signed, tickLabels } from '../lib/format';
import type { ChartName } from '../lib/moment';
import { chartText } from '../lib/text-stream';
import type { ChartShape } from './options';
import type { TokenName } from './palette';
import { countRange, measuredRange, sentimentRange } from './ticks';

export type Metric = 'chat' | 'viewers' | 'sentiment' | 'transactions' | 'channel';

/** Which chart: of a stream, or of the channel named. */
export interface ChartOf {
  stream: string;
  metric: Metric;
  channel?: string | undefined;
}

export interface MetricStyle {
  shape: Omit<ChartShape, 'height' | 'times'>;
  title: string;
  unit: string;
  /** What the line is called in the header. */
  name: string;
  /** The column of the API that is drawn, and that stands in files. */
  column: string;
  /** Whose moments are its own. */
  moments: ChartName;
  write(value: number): string;
}

const whole = (value: number): string => count(Math.round(value));

export const METRICS: Record<Metric, MetricStyle> = {
  chat: {
    shape: { kind: 'line', colour: 'series-1', scale: (_, high) => countRange(high) },
    title: chartText.chatRate,
    unit: chartText.chatUnit,
    name: chartText.chat,
    column: 'chat_rate',
    moments: 'chat',
    write: count,
  },
  viewers: {
    shape: { kind: 'line', colour: 'series-2', area: true, scale: measuredRange },
    title: chartText.viewers,
    unit: '',
    name: chartText.mean,
    column: 'avg_viewers',
    moments: 'viewers',
    write: whole,
  },
  sentiment: {
    shape: {
      kind: 'bars',
      colour: 'series-3',
      colourBelow: 'series-4',
      scale: sentimentRange,
      label: (ticks) =>
        tickLabels(ticks).map((label, k) => ((ticks[k] ?? 0) > 0 ? `+${label}` : label)),
    },
    title: chartText.sentiment,
    unit: chartText.sentimentUnit,
    name: chartText.mean,
    column: 'avg_sentiment',
    moments: 'sentiment',
    write: signed,
  },
  transactions: {
    shape: { kind: 'stack', colour: 'series-1', scale: (_, high) => countRange(high) },
    title: chartText.transactions,
    unit: chartText.perMinute,
    name: chartText.all,
    column: 'transactions',
    moments: 'transactions',
    write: whole,
  },
  channel: {
    shape: { kind: 'line', colour: 'series-3', scale: measuredRange },
    title: '',
    unit: '',
    name: chartText.mean,
    column: 'mean',
    moments: 'channel',
    write: measure,
  },
};

export const KIND_COLOURS: Readonly<Record<string, TokenName>> = {
  subscription: 'series-1',
  donation: 'series-2',
  bits: 'series-6',
  gift_sub: 'series-5',
  renewal: 'series-7',
  other: 'series-8',
};

/** Channels take colours in their order; the two of the chat come last. */
const CHANNEL_COLOURS: readonly TokenName[] = [
  'series-3',
  'series-4',
  'series-5',
  'series-6',
  'series-7',
  'series-8',
  'series-1',
  'series-2',
];
export const channelColour = (index: number): TokenName =>
  CHANNEL_COLOURS[index % CHANNEL_COLOURS.length]!;
