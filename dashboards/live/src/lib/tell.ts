/* A moment in words: its sentence, what the feed says of its state, the day it belongs to. */
import { clip, clockOn, count, date, duration, MINUTE, plainName } from './format';
import { chartOf, describeMoment, isWithdrawn, show } from './moment';
import { text, isKnownType } from './text';
import { page } from './text-moments-page';
import type { Moment } from './types';

export interface Piece {
  words: string;
  strong: boolean;
}

const SENTENCE_MAX = 300;
/** Below this a factor says less than the two figures. */
const TIMES_MIN = 1.5;
const DAY_MS = 1440 * MINUTE;

const plain = (words: string): Piece => ({ words, strong: false });
const strong = (words: string): Piece => ({ words, strong: true });
const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** How long it went on, or goes on. */
export function lasting(moment: Moment, now: number): number {
  const end = moment.ended_at ? Date.parse(moment.ended_at) : now;
  return Math.max(1000, end - Date.parse(moment.started_at));
}

/** A silence that goes on is longer by now than when it was told. */
export function passTime(moment: Moment, now: number): Moment {
  if (moment.moment_type !== 'silence' || moment.ended_at !== null) return moment;
  const seconds = lasting(moment, now) / 1000;
  return { ...moment, metric_value: Math.max(moment.metric_value, seconds) };
}

/** What, how much against what, since when. */
export function tellMoment(moment: Moment, now: number): Piece[] {
  const t = page.lede;
  const withdrawn = isWithdrawn(moment) ? [plain(` ${text.moment.withdrawnWhy}`)] : [];
  const time = duration(lasting(moment, now));
  return [
    ...tellValue(passTime(moment, now)),
    plain(tellOthers(moment)),
    // Of a silence it was said.
    ...(moment.moment_type === 'silence'
      ? []
      : [plain(moment.ended_at ? t.over : t.going), strong(time), plain('.')]),
    ...withdrawn,
  ];
}

function tellValue(moment: Moment): Piece[] {
  const t = page.lede;
  if (!isKnownType(moment.moment_type))
    return [plain(`${clip(moment.description, SENTENCE_MAX)}. `)];
  if (/flatline|silence/.test(moment.moment_type))
    return [plain(`${capital(describeMoment(moment))}. `)];
  const { metric_value: value, expected } = moment;
  const ratio = value / expected;
  const hasFactor = chartOf(moment) !== 'channel' && expected > 0 && ratio >= TIMES_MIN;
  return [
    plain(t.subjects[moment.metric_name] ?? plainName(moment.metric_name)),
    plain(value >= expected ? t.rose : t.fell),
    strong(show(moment, value)),
    plain(hasFactor ? t.times(count(ratio)) : t.against),
    strong(show(moment, expected)),
    plain('. '),
  ];
}

/** What else moved with it, in a few words. */
function tellOthers(moment: Moment): string {
  const moved = moment.reasons.filter(
    ({ kind, name, value, usual }) => kind === 'metric' && name && value != null && usual != null,
  );
  const names = (isUp: boolean): string =>
    moved
      .filter(({ value, usual }) => value! > usual! === isUp)
      .slice(0, 2)
      .map(({ name }) => text.reason.metrics[name!]?.toLowerCase() ?? plainName(name!))
      .join(page.lede.and);
  const [up, down] = [names(true), names(false)];
  return up || down ? capital(page.lede.with(up, down)) : '';
}

/** “open, 6 min”, “shelved until 21:00 · a true one”. */
export function tellState(moment: Moment, now: number): string {
  const { label } = moment;
  return [
    isWithdrawn(moment) ? text.moment.withdrawn : '',
    nameState(moment, now),
    typeof label === 'boolean' ? text.moment.label[`${label}`] : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

function nameState(moment: Moment, now: number): string {
  const t = page.row;
  const { state, shelved_until: until } = moment;
  if (state === 'open')
    return (moment.ended_at ? t.over : t.open)(duration(lasting(moment, now)));
  if (state !== 'shelved') return text.moment.states[state] ?? state;
  return until === null ? t.muted : t.shelved(clockOn(Date.parse(until), now));
}

/** The heading over the moments of a day that is not this one; null for today. */
export function dayOf(moment: Moment, now: number): string | null {
  const at = Date.parse(moment.timestamp);
  if (date(at) === date(now)) return null;
  return date(at) === date(now - DAY_MS) ? page.feed.yesterday : date(at);
}
