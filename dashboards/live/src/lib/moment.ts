/* What a moment is about: which chart it belongs to and how its figures are written. */
import { count, measure, MISSING, rate, signed } from './format';
import { text } from './text';
import type { Moment } from './types';

export type ChartName = 'chat' | 'viewers' | 'sentiment' | 'channel';

export function chartOf(moment: Pick<Moment, 'moment_type' | 'metric_name'>): ChartName {
  const about = `${moment.metric_name} ${moment.moment_type}`;
  if (/sentiment/.test(about)) return 'sentiment';
  if (/viewer/.test(about)) return 'viewers';
  if (/reading|flatline/.test(moment.moment_type)) return 'channel';
  return 'chat';
}

function figure(moment: Moment, value: number | null): string {
  if (value === null) return MISSING;
  if (/chat_rate/.test(moment.metric_name)) return rate(value);
  if (/sentiment/.test(moment.metric_name)) return signed(value);
  if (moment.metric_name === 'chat_count') return rate(value / 60);
  return /viewer/.test(moment.metric_name) ? count(value) : measure(value);
}

/** “612/s, expected 150/s”, or the server's own sentence when there are no figures. */
export function describeMoment(moment: Moment): string {
  const sentence = text.stream.expected(
    figure(moment, moment.metric_value),
    figure(moment, moment.expected),
  );
  return chartOf(moment) === 'channel' ? `${moment.metric_name} ${sentence}` : sentence;
}

/** Reasons come as sentences or as objects that hold one. */
export function reasonsOf(moment: Moment): string[] {
  return moment.reasons.flatMap((reason) => {
    if (typeof reason === 'string') return [reason];
    if (typeof reason !== 'object' || reason === null) return [];
    const parts = reason as Record<string, unknown>;
    const sentence = parts.text ?? parts.detail ?? parts.description ?? parts.reason;
    return typeof sentence === 'string' ? [sentence] : [];
  });
}
