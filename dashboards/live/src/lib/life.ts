/* The life of a moment: its four steps, and its history, what the flow found and what people did in
   the order of time. */
import { clock, clockOn, duration } from './format';
import { figureOf, isWithdrawn } from './moment';
import { page } from './text-moments-page';
import { lasting } from './tell';
import type { LifeEntry, Moment, MomentDetail } from './types';

export interface Step {
  name: string;
  label: string;
  note: string;
  is: 'now' | 'done' | 'ahead';
}

const SHELVING = ['shelve', 'mute'];

/** Open, acknowledged, put away, resolved: which of them it is in, and since when by whom. */
export function listSteps(moment: MomentDetail, now: number): Step[] {
  const t = page.life;
  const at = (time: string): string => clockOn(Date.parse(time), now);
  const begun = moment.life.findLast((entry) => entry.action === 'reopen');
  const life = moment.life.filter((entry) => !begun || entry.version > begun.version);
  const last = (...actions: string[]): LifeEntry | undefined =>
    life.findLast((entry) => entry.action !== null && actions.includes(entry.action));
  const by = (entry: LifeEntry | undefined): string =>
    entry ? t.by(entry.actor_name, at(entry.at)) : '';
  const put = last(...SHELVING);
  const start = at(begun?.at ?? moment.started_at);
  const closing = last('resolve') ?? life.findLast((entry) => entry.state === 'resolved');
  const steps: Omit<Step, 'is'>[] = [
    {
      name: 'open',
      label: moment.state === 'open' ? t.openSince(start) : t.opened(start),
      note: '',
    },
    { name: 'acknowledged', label: t.acknowledged, note: by(last('acknowledge')) },
    {
      name: 'shelved',
      label: put ? (put.action === 'mute' ? t.muted : t.shelved) : t.put,
      note: moment.state === 'shelved' ? shelfEnd(moment, now) : by(put),
    },
    {
      name: 'resolved',
      label: t.resolved,
      note: moment.state === 'resolved' ? by(closing) || withEnd(moment, at) : '',
    },
  ];
  return steps.map((step) => ({
    ...step,
    is:
      step.name === moment.state
        ? 'now'
        : step.name === 'open' || (step.note && step.name !== 'resolved')
          ? 'done'
          : 'ahead',
  }));
}

/** Acknowledged or muted, and then over. */
function withEnd({ ended_at }: Moment, at: (time: string) => string): string {
  return ended_at === null ? '' : page.life.withEnd(at(ended_at));
}

function shelfEnd({ shelved_until: until }: Moment, now: number): string {
  return until === null ? page.life.untilOver : page.life.until(clockOn(Date.parse(until), now));
}

export interface HistoryLine {
  key: string;
  at: number;
  /** Null: nobody, the flow found it. */
  who: string | null;
  did: string;
  comment: string | null;
}

/** Oldest first. */
export function listHistory(moment: MomentDetail, now: number): HistoryLine[] {
  const lines = [...listFound(moment, now), ...moment.life.map((entry) => tellEntry(entry, now))];
  return lines.sort((a, b) => a.at - b.at);
}

function listFound(moment: Moment, now: number): HistoryLine[] {
  const t = page.history;
  const line = (key: string, time: string, did: string): HistoryLine => ({
    key,
    at: Date.parse(time),
    who: null,
    did,
    comment: null,
  });
  const found = [line('began', moment.started_at, t.began)];
  if (moment.peak_at !== moment.started_at)
    found.push(
      line('peak', moment.peak_at, t.peak(figureOf(moment)) + moment.score.toFixed(1)),
    );
  if (moment.ended_at !== null) {
    const did = isWithdrawn(moment) ? t.withdrawn : t.ended(duration(lasting(moment, now)));
    found.push(line('ended', moment.ended_at, did));
  }
  return found;
}

function tellEntry(entry: LifeEntry, now: number): HistoryLine {
  const { did } = page.history;
  const said: string[] = [];
  if (entry.action === 'shelve')
    said.push(did.shelve(clockOn(Date.parse(entry.shelved_until ?? entry.at), now)));
  else if (entry.action) said.push(did[entry.action]);
  if (entry.is_labelled) said.push(did[`${entry.label}` as 'true' | 'false' | 'null']);
  return {
    key: `${entry.version}`,
    at: Date.parse(entry.at),
    who: entry.actor_name,
    did: said.join(', '),
    comment: entry.comment,
  };
}

/** Who was faster, when a change was refused: “mira acknowledged it at 20:31.” */
export function tellFaster(moment: MomentDetail, seen: number, now: number): string {
  const entry = moment.life.findLast(({ version }) => version > seen);
  if (!entry) return page.fasterSomehow;
  const did = tellEntry(entry, now).did || page.history.did.comment;
  return page.faster(entry.actor_name, did, clock(Date.parse(entry.at)));
}
