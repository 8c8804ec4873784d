import { describe, expect, it } from 'vitest';
import { listHistory, listSteps, tellFaster } from '../src/lib/life';
import { MINUTE } from '../src/lib/format';
import { listMoved, listSurged } from '../src/lib/reason';
import { dayOf, tellMoment, tellState } from '../src/lib/tell';
import type { LifeEntry, MomentDetail } from '../src/lib/types';

const START = Date.parse('2026-01-26T10:00:00Z');
const NOW = START + 6 * MINUTE;
const at = (minutes: number): string => new Date(START + minutes * MINUTE).toISOString();
const entry = (version: number, more: Partial<LifeEntry>) =>
  ({
    version,
    at: at(version),
    actor_key_id: null,
    actor_name: 'mira',
    action: null,
    state: 'open',
    shelved_until: null,
    is_labelled: false,
    label: null,
    comment: null,
    ...more,
  }) as LifeEntry;
const detail = (more: Partial<MomentDetail> = {}) =>
  ({
    moment_id: 'm',
    stream_id: 'northlight_live',
    moment_type: 'chat_spike',
    metric_name: 'chat_count',
    metric_value: 1310,
    expected: 240,
    score: 5.6,
    timestamp: at(0),
    started_at: at(0),
    peak_at: at(1),
    ended_at: null,
    state: 'open',
    shelved_until: null,
    label: null,
    description: '',
    reasons: [],
    metadata: {},
    life: [],
    legal: [],
    version: 0,
    ...more,
  }) as unknown as MomentDetail;
const say = (moment: MomentDetail): string =>
  tellMoment(moment, NOW)
    .map(({ words }) => words)
    .join('')
    .replaceAll('\u202f', ' ');
const steps = (moment: MomentDetail): string[] =>
  listSteps(moment, NOW).map(({ is, label, note }) => `${is}: ${label} ${note}`.trim());

describe('the sentence of a moment', () => {
  it('says what, how much against what, and how long', () => {
    expect(say(detail())).toBe(
      'Chat rose to 21.8/s, 5.46 times the expected 4/s. Goes on for 6 min.',
    );
    expect(say(detail({ metric_value: 60, ended_at: at(2) }))).toBe(
      'Chat fell to 1/s, against an expected 4/s. Was over after 2 min.',
    );
  });

  it('lets a silence grow until it ends', () => {
    const about = { moment_type: 'silence', metric_name: 'events', metric_value: 60 };
    expect(say(detail(about))).toBe('No event of any kind for 6 min. ');
    expect(say(detail({ ...about, ended_at: at(1) }))).toBe(
      'There was no event of any kind for 1 min. ',
    );
  });

  it('names what moved with it', () => {
    const moved = (name: string, value: number) => ({
      kind: 'metric',
      name,
      value,
      usual: 10,
      text: '',
    });
    const reasons = [moved('avg_viewers', 12), moved('temp', 13), moved('avg_sentiment', 1)];
    expect(say(detail({ reasons: reasons as never }))).toContain(
      'Viewers and temp rose, sentiment fell with it. ',
    );
  });

  it('shows the server’s own words for a type it does not know', () => {
    const strange = detail({ moment_type: 'new_kind', description: 'Something else' });
    expect(say(strange)).toBe('Something else. Goes on for 6 min.');
  });

  it('says of a withdrawn one that it was none', () => {
    const withdrawn = detail({ ended_at: at(2), metadata: { withdrawn: true } as never });
    expect(say(withdrawn)).toContain('it was none');
    expect(tellState(withdrawn, NOW)).toContain('withdrawn');
  });
});

describe('what the feed says of a state', () => {
  const told = (more: Partial<MomentDetail>): string =>
    tellState(detail(more), NOW).replaceAll('\u202f', ' ');

  it('is short, and has the label', () => {
    expect(told({})).toBe('open, 6 min');
    expect(told({ ended_at: at(2) })).toBe('open, over after 2 min');
    expect(told({ state: 'shelved', shelved_until: at(30) })).toBe('shelved until 10:30');
    expect(told({ state: 'shelved' })).toBe('muted until it is over');
    expect(told({ state: 'resolved', label: false })).toBe('resolved · a false alarm');
  });

  it('heads other days than this one', () => {
    expect(dayOf(detail(), NOW)).toBeNull();
    expect(dayOf(detail(), NOW + 1440 * MINUTE)).toBe('Yesterday');
    expect(dayOf(detail(), NOW + 2880 * MINUTE)).toBe('26 Jan');
  });
});

describe('the life line', () => {
  it('says where it is and who brought it there', () => {
    expect(steps(detail())[0]).toBe('now: Open since 10:00');
    const acknowledged = entry(1, { action: 'acknowledge', state: 'acknowledged' });
    const shelved = entry(2, { action: 'shelve', state: 'shelved', shelved_until: at(30) });
    const life = [acknowledged, shelved];
    expect(steps(detail({ state: 'shelved', shelved_until: at(30), life }))).toEqual([
      'done: Opened 10:00',
      'done: Acknowledged 10:01 by mira',
      'now: Shelved until 10:30',
      'ahead: Resolved',
    ]);
  });

  it('begins anew when it is reopened', () => {
    const life = [
      entry(1, { action: 'resolve', state: 'resolved' }),
      entry(2, { action: 'reopen' }),
    ];
    expect(steps(detail({ life }))).toEqual([
      'now: Open since 10:02',
      'ahead: Acknowledged',
      'ahead: Shelved or muted',
      'ahead: Resolved',
    ]);
  });

  it('tells an end from what somebody resolved', () => {
    const life = [entry(1, { action: 'acknowledge', state: 'acknowledged' })];
    const over = detail({ state: 'resolved', ended_at: at(5), life });
    expect(steps(over)[3]).toBe('now: Resolved 10:05, with its end');
    const late = [entry(1, { action: 'acknowledge', state: 'resolved' })];
    expect(steps(detail({ state: 'resolved', ended_at: at(0), life: late }))[3]).toBe(
      'now: Resolved 10:01 by mira',
    );
  });
});

describe('the history', () => {
  it('has what was found and what was done, in the order of time', () => {
    const life = [
      entry(2, { action: 'acknowledge', is_labelled: true, label: true }),
      entry(3, { comment: 'A raid' }),
    ];
    const lines = listHistory(detail({ ended_at: at(4), life }), NOW);
    expect(lines.map(({ who, did, comment }) => [who, did, comment])).toEqual([
      [null, 'It began', null],
      [null, 'Peak of 21.8/s, score 5.6', null],
      ['mira', 'acknowledged it, said that it was a true one', null],
      ['mira', '', 'A raid'],
      [null, 'Over after 4\u202fmin', null],
    ]);
  });

  it('says who was faster', () => {
    const life = [entry(1, { action: 'mute' }), entry(2, { comment: 'mine' })];
    expect(tellFaster(detail({ life: life.slice(0, 1) }), 0, NOW)).toBe(
      'At 10:01 mira muted it until it is over.',
    );
    expect(tellFaster(detail({ life }), 1, NOW)).toBe('At 10:02 mira commented on it.');
    expect(tellFaster(detail({ life }), 2, NOW)).toBe('It was changed meanwhile.');
  });
});

describe('reasons as figures', () => {
  const reasons = [
    { kind: 'metric', name: 'avg_viewers', value: 20, usual: 10, spreads: 8, text: 'x' },
    { kind: 'metric', name: 'avg_sentiment', value: -0.5, usual: 0, spreads: -4, text: 'x' },
    { kind: 'emote', name: 'Pog', value: 62, usual: 10, text: 'x' },
    { kind: 'word', name: 'clutch', value: 0.2, usual: 0, text: 'x' },
  ] as unknown as MomentDetail['reasons'];

  it('measure what moved by how far it strays usually', () => {
    expect(listMoved({ reasons }).map(({ name, share }) => [name, share])).toEqual([
      ['Viewers', 1],
      ['Sentiment', 0.5],
    ]);
  });

  it('say how many times as often something was said, or that it is new', () => {
    expect(listSurged({ reasons }).map(({ name, times }) => [name, times])).toEqual([
      ['Pog', '6.20'],
      ['clutch', null],
    ]);
  });

  it('are none where there are none, or where they make no sense', () => {
    expect(listMoved({ reasons: null as never })).toEqual([]);
    expect(listSurged({ reasons: ['raid', { kind: 'emote' }] as never })).toEqual([]);
  });
});
