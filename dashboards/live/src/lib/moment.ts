/* What a moment is about, which of two tellings of it is the newer, and what people may do with it:
   its chart, its figures, its buttons. */
import { clip, count, duration, measure, MISSING, plainName, rate, signed, span } from './format';
import type { Problem } from './problem';
import { text } from './text';
import type { Moment, MomentAction } from './types';

export type ChartName = 'chat' | 'viewers' | 'sentiment' | 'transactions' | 'channel';

/** What is measured of a stream itself; whatever else has a name is a channel of it. */
const OWN = /^(events|chat_count|chat_rate|avg_viewers|avg_sentiment|transaction_count)$/;

type About = Pick<Moment, 'moment_type' | 'metric_name'>;

const isOfChannel = ({ moment_type, metric_name }: About): boolean =>
  /reading|flatline/.test(moment_type) || (moment_type === 'silence' && !OWN.test(metric_name));

export function chartOf(moment: About): ChartName {
  if (isOfChannel(moment)) return 'channel';
  const about = `${moment.metric_name} ${moment.moment_type}`;
  if (/sentiment/.test(about)) return 'sentiment';
  if (/transaction/.test(about)) return 'transactions';
  return /viewer/.test(about) ? 'viewers' : 'chat';
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

/** At most so many of the active ones: all that go on, then those that began last. */
export function boundActive(active: readonly Moment[], most: number): Moment[] {
  if (active.length <= most) return [...active];
  return [...active]
    .sort(
      (a, b) =>
        Number(b.ended_at === null) - Number(a.ended_at === null) ||
        Date.parse(b.started_at) - Date.parse(a.started_at),
    )
    .slice(0, most);
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

/** A value of a metric as the page writes it everywhere. */
export function figure(metric: string, value: number | null): string {
  if (value === null) return MISSING;
  if (metric === 'chat_rate') return rate(value);
  if (metric === 'chat_count') return rate(value / 60);
  if (/sentiment/.test(metric)) return signed(value);
  return /viewer|^transaction_count$/.test(metric) ? count(value) : measure(value);
}

/** A value of a moment: of a silence how long it lasts, of a channel what was measured. */
export function show(moment: Moment, value: number | null): string {
  if (moment.moment_type === 'silence') return duration(value === null ? null : value * 1000);
  return isOfChannel(moment) ? measure(value) : figure(moment.metric_name, value);
}

export const figureOf = (moment: Moment): string => show(moment, moment.metric_value);

/** “612/s, expected 150/s”, “temp stuck at 61.4”, “no chat message for 42 s”. */
export function describeMoment(moment: Moment): string {
  const [t, name] = [text.moment, plainName(moment.metric_name)];
  const value = show(moment, moment.metric_value);
  if (moment.moment_type === 'flatline') return t.stuck(name, value);
  if (moment.moment_type === 'silence')
    return t.silent(t.silence[moment.metric_name] ?? name, value, moment.ended_at !== null);
  const sentence = t.expected(value, show(moment, moment.expected));
  return chartOf(moment) === 'channel' ? `${name} ${sentence}` : sentence;
}

/** Short words for what is to be known of a moment beside its figures. */
export function listMarks(moment: Moment): string[] {
  const [t, { confirmed, withdrawn }] = [text.moment, metadataOf(moment)];
  const isOpen = moment.state === 'open';
  const isMuted = moment.state === 'shelved' && moment.shelved_until === null;
  return [
    withdrawn ? t.withdrawn : confirmed === false && moment.ended_at === null ? t.unconfirmed : '',
    isOpen ? '' : isMuted ? t.muted : (t.states[moment.state] ?? moment.state),
    typeof moment.label === 'boolean' ? t.label[`${moment.label}`] : '',
  ].filter(Boolean);
}

export const isWithdrawn = (moment: Moment): boolean => metadataOf(moment).withdrawn === true;

export interface Fact {
  label: string;
  value: string;
}

/** What a moment is measured by. What was stored before bands were known has none. */
export function listFacts(moment: Moment): Fact[] {
  const { facts } = text.moment;
  const { band, told_by } = metadataOf(moment);
  const rows: [string, string | null][] = [
    [facts.value, show(moment, moment.metric_value)],
    [facts.expected, moment.moment_type === 'flatline' ? null : show(moment, moment.expected)],
    [facts.band, readBand(moment, band)],
    [facts.toldBy, told_by && !PLAIN.has(told_by) ? clip(told_by, TOLD_MAX) : null],
  ];
  return rows.flatMap(([label, value]) => (value === null ? [] : [{ label, value }]));
}

/** What found it and needs no words. */
const PLAIN: ReadonlySet<string> = new Set(['level', 'rush', 'rhythm']);
const TOLD_MAX = 120;

const metadataOf = (moment: Moment): Partial<Moment['metadata']> => moment.metadata ?? {};

/** “106–195/s”: between which values nothing would have been unusual. */
export const bandOf = (moment: Moment): string | null =>
  readBand(moment, metadataOf(moment).band);

/** What found it: one of a few ways, or in words what was new. */
export const finderOf = (moment: Moment): string | null => {
  const { told_by } = metadataOf(moment);
  return told_by ? clip(told_by, TOLD_MAX) : null;
};

function readBand(moment: Moment, band: unknown): string | null {
  if (!Array.isArray(band) || !band.every(Number.isFinite) || band.length !== 2) return null;
  const [least, most] = boundsOf(moment);
  const [low, high] = band.map((value: number) => Math.min(most, Math.max(least, value)));
  return spanOf(show(moment, low!), show(moment, high!));
}

/** A unit that both have is written once, and none at nought. */
function spanOf(low: string, high: string): string {
  const unit = /\/(s|min)$/;
  const [own, other] = [unit.exec(low)?.[0], unit.exec(high)?.[0]];
  const isShared = own !== undefined && (own === other || low === `0${own}`);
  return span(isShared && low !== high ? low.replace(unit, '') : low, high);
}

/** Beyond these a value makes no sense, however wide the band. */
function boundsOf(moment: Moment): [number, number] {
  const chart = chartOf(moment);
  if (chart === 'channel') return [-Infinity, Infinity];
  return chart === 'sentiment' ? [-1, 1] : [0, Infinity];
}
