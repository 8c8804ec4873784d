/* Hours of the week: when a rule speaks, when a route is quiet; as typed, as sent, and in words.
   */
import type { Hours } from './api-alerts';
import { alertText as t } from './text-alerts';

export type Day = Hours['days'][number];
export const DAYS: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** What a form begins with: working hours, where this browser is. */
export function suggestHours(days: readonly Day[] = DAYS.slice(0, 5)): Hours {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  return { days: [...days], from: '08:00', to: '18:00', zone };
}

export function findHoursFault(hours: Hours | null): string {
  if (!hours) return '';
  if (!hours.days.length) return t.hours.noDay;
  if (!TIME.test(hours.from) || !TIME.test(hours.to)) return t.hours.noTime;
  return isZone(hours.zone ?? 'UTC') ? '' : t.hours.noZone;
}

function isZone(zone: string): boolean {
  try {
    return Boolean(zone) && Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}

/** “Mon–Fri 08:00–18:00 Europe/Berlin”; runs of days are drawn together. */
export function describeHours(hours: Hours): string {
  const { from, to, zone = 'UTC' } = hours;
  const time = from === to ? t.hours.wholeDay : `${from}–${to}`;
  return `${describeDays(hours.days)} ${time} ${zone}`;
}

function describeDays(days: readonly Day[]): string {
  if (days.length === DAYS.length) return t.hours.daily;
  const runs: Day[][] = [];
  for (const day of DAYS.filter((one) => days.includes(one))) {
    const last = runs.at(-1);
    const follows = last && DAYS.indexOf(day) === DAYS.indexOf(last.at(-1)!) + 1;
    if (follows) last.push(day);
    else runs.push([day]);
  }
  return runs
    .map((run) => {
      const [first, last] = [t.hours.days[run[0]!], t.hours.days[run.at(-1)!]];
      if (run.length === 1) return first;
      return run.length === 2 ? `${first}, ${last}` : `${first}–${last}`;
    })
    .join(', ');
}
