/* What a moment is about, which of two tellings of it is the newer, and what people may do with it:
   its chart, its figures, its buttons. */
import { count, measure, MISSING, plainName, rate, signed } from './format';
import type { Problem } from './problem';
import { text } from './text';
import type { Moment, MomentAction } from './types';

export type ChartName = 'chat' | 'viewers' | 'sentiment' | 'channel';

export function chartOf(moment: Pick<Moment, 'moment_type' | 'metric_name'>): ChartName {
  const about = `${moment.metric_name} ${moment.moment_type}`;
  if (/sentiment/.test(about)) return 'sentiment';
  if (/viewer/.test(about)) return 'viewers';
  if (/reading|flatline/.test(moment.moment_type)) return 'channel';
  return 'chat';
}

export const isActive = (moment: Pick<Moment, 'state'>): boolean => moment.state !== 'resolved';

/** Whether `told` may replace `known`. Both the flow and people change a moment; what neither has
    changed since is the same, and of that the last to arrive counts: a shelf may have ended. Revisions
    are larger than what a number holds exactly; rounded, the larger is still not the smaller. */
export function isNewerMoment(told: Moment, known: Moment): boolean {
  return told.version >= known.version && told.revision >= known.revision;
}

/** Both lists as one, the newest telling of each moment. */
export function mergeMoments(known: Iterable<Moment>, told: Iterable<Moment>): Moment[] {
  const newest = new Map<string, Moment>();
  for (const moment of [...known, ...told]) {
    const before = newest.get(moment.moment_id);
    if (!before || isNewerMoment(moment, before)) newest.set(moment.moment_id, moment);
  }
  return [...newest.values()];
}

/** What is known once a list of the active ones has come: what is active and not listed is gone,
    unless it came after `before`, while the list was on its way. What is resolved stays known. */
export function takeList(
  listed: readonly Moment[],
  known: readonly Moment[],
  before: ReadonlySet<Moment>,
): Moment[] {
  const ids = new Set(listed.map((moment) => moment.moment_id));
  const kept = known.filter(
    (moment) => ids.has(moment.moment_id) || !isActive(moment) || !before.has(moment),
  );
  return mergeMoments(kept, listed);
}

/** What to offer, the likely one first. To acknowledge what is over resolves it, so that one button
    is enough. */
export function listActions(moment: Pick<Moment, 'state' | 'ended_at'>): MomentAction[] {
  if (moment.state === 'resolved') return ['reopen'];
  if (moment.ended_at !== null) return ['acknowledge'];
  return moment.state === 'acknowledged' ? ['resolve'] : ['acknowledge', 'resolve'];
}

/** What the button says: the word for what will come of it. */
export function wordAction(action: MomentAction, moment: Pick<Moment, 'ended_at'>): string {
  const ends = action === 'acknowledge' && moment.ended_at !== null;
  return ends ? text.moment.done : text.moment.act[action];
}

/** Why an action was not done, in the few words that have room beside its button. */
export function explainFailure({ status, title }: Pick<Problem, 'status' | 'title'>): string {
  if (status === 403) return text.moment.forbidden;
  if (status === 404) return text.moment.missing;
  return status === 409 ? text.moment.changed : text.moment.undone(title);
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
  return chartOf(moment) === 'channel' ? `${plainName(moment.metric_name)} ${sentence}` : sentence;
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
