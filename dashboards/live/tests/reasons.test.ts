import { describe, expect, it } from 'vitest';
import { clip, percent } from '../src/lib/format';
import { chartOf, describeMoment, isWithdrawn, listFacts, listMarks } from '../src/lib/moment';
import { groupReasons } from '../src/lib/reason';
import { momentName } from '../src/lib/text';
import { listTold } from '../src/lib/told';
import type { Delivery, Moment } from '../src/lib/types';

const moment = (more: object = {}) =>
  ({
    moment_type: 'chat_spike',
    metric_name: 'chat_count',
    metric_value: 960,
    expected: 240,
    state: 'open',
    shelved_until: null,
    ended_at: null,
    label: null,
    reasons: [],
    metadata: { band: [170, 310], told_by: 'rush', confirmed: true, withdrawn: false },
    ...more,
  }) as unknown as Moment;

describe('the names of moments', () => {
  it('are words for each of the nine types, and the own words of any other', () => {
    const types = 'chat_spike chat_drop viewer_spike viewer_drop sentiment_shift';
    const others = 'transaction_spike reading_anomaly flatline silence';
    expect(`${types} ${others}`.split(' ').map(momentName)).toEqual([
      'Chat spike',
      'Chat drop',
      'Viewer spike',
      'Viewer drop',
      'Sentiment shift',
      'Transaction spike',
      'Unusual reading',
      'Stuck reading',
      'Silence',
    ]);
    expect(momentName('mood_swing')).toBe('Mood swing');
    expect(momentName('constructor')).toBe('Constructor');
  });
});

describe('what a moment says of itself', () => {
  const ended_at = '2026-01-26T10:40:00Z';
  const silence = (more: object) => moment({ moment_type: 'silence', metric_value: 42, ...more });

  it('is how long a silence lasts, and of what', () => {
    expect(describeMoment(silence({}))).toBe('no chat message for 42\u202fs');
    expect(describeMoment(silence({ metric_name: 'temp', ended_at }))).toBe(
      'there was no temp for 42\u202fs',
    );
    expect(chartOf(silence({ metric_name: 'temp' }))).toBe('channel');
    expect(chartOf(silence({ metric_name: 'events' }))).toBe('chat');
  });

  it('is where a reading is stuck, measured whatever its channel is called', () => {
    const stuck = { moment_type: 'flatline', metric_name: 'viewer_temp', metric_value: 61.4 };
    expect(describeMoment(moment(stuck))).toBe('viewer_temp stuck at 61.4');
    expect(listFacts(moment(stuck)).map(({ label }) => label)).not.toContain('Expected');
  });

  it('is the value beside what was expected, the band within sense, and what is new', () => {
    const facts = (more: object) => listFacts(moment(more)).map((one) => Object.values(one));
    expect(facts({})).toEqual([
      ['Value', '16/s'],
      ['Expected', '4/s'],
      ['Usual', '2.83–5.17/s'],
    ]);
    expect(facts({ metadata: { band: [-60, 300] } })).toContainEqual(['Usual', '0–5/s']);
    expect(facts({ metadata: { band: [0, 9] } })).toContainEqual(['Usual', '0–9.0/min']);
    const told = { band: null, told_by: 'higher than ever' };
    expect(facts({ metadata: told }).at(-1)).toEqual(['New', 'higher than ever']);
    for (const metadata of [{}, null, { band: ['a', 1] }, { band: [1] }])
      expect(facts({ metadata })).toHaveLength(2);
  });

  it('is marked as withdrawn, not confirmed yet, muted, labelled', () => {
    const found = (confirmed: boolean, withdrawn = false) => ({ metadata: { confirmed, withdrawn } });
    expect(listMarks(moment())).toEqual([]);
    expect(listMarks(moment(found(false)))).toEqual(['not confirmed yet']);
    expect(listMarks(moment({ ...found(false), ended_at }))).toEqual([]);
    expect(listMarks(moment({ ...found(false, true), ended_at }))).toEqual(['withdrawn']);
    expect(isWithdrawn(moment(found(false, true)))).toBe(true);
    expect(listMarks(moment({ state: 'shelved', label: true }))).toEqual(['muted', 'a true one']);
    const shelved = { state: 'shelved', shelved_until: ended_at, label: false };
    expect(listMarks(moment(shelved))).toEqual(['shelved', 'a false alarm']);
  });
});

describe('reasons', () => {
  const group = (...reasons: unknown[]) =>
    groupReasons(moment({ reasons })).map(({ title, lines }) => [
      title,
      ...lines.map(({ name, words }) => (name === null ? words : `${name}: ${words}`)),
    ]);

  it('are grouped by what they are, in the order in which they come', () => {
    const viewers = { kind: 'metric', name: 'avg_viewers', value: 1704, usual: 804, text: 't' };
    const chat = { kind: 'metric', name: 'chat_count', value: 60, usual: 240, text: 't' };
    expect(
      group(
        { kind: 'event', name: 'raid', text: 'Raid of 900, 10:31:58' },
        viewers,
        { kind: 'transaction', name: 'bits', value: 3, text: '3 x bits' },
        chat,
        { kind: 'emote', name: 'PogChamp', value: 212, usual: 14.5, text: 't' },
        { kind: 'word', name: 'aurora', value: 0.41, usual: 0.02, text: 't' },
        { kind: 'message', name: 'mira', text: '<b>hello</b>' },
      ),
    ).toEqual([
      ['Announced', 'Raid of 900, 10:31:58'],
      ['Also moved', 'Viewers: ▲ 1.70k, usually 804', 'Chat: ▼ 1/s, usually 4/s'],
      ['Given', '3 x bits'],
      ['Emotes', 'PogChamp: 212 a minute, usually 14.5'],
      ['Words', 'aurora: in 41\u202f% of messages, usually 2\u202f%'],
      ['Messages', 'mira: <b>hello</b>'],
    ]);
  });

  it('of unknown kinds are told as they are, and what has no text is left out', () => {
    expect(group('One.', { kind: 'tide', text: 'High.' }, { kind: 'toString', text: 'x' })).toEqual([
      ['Also', 'One.', 'High.', 'x'],
    ]);
    expect(group({ n: 3 }, null, 7, { kind: 'word', name: 'a' }, { text: '  ' })).toEqual([]);
    expect(groupReasons({ reasons: null } as unknown as Moment)).toEqual([]);
    expect(group({ kind: 'metric', name: 'x', value: 1, text: 'x rose to 1' })).toEqual([
      ['Also moved', 'x rose to 1'],
    ]);
  });

  it('are of bounded length and number', () => {
    const long = { kind: 'message', name: 'n'.repeat(1000), text: '👍'.repeat(1000) };
    const [{ lines } = { lines: [] }] = groupReasons(moment({ reasons: Array(50).fill(long) }));
    expect(lines).toHaveLength(12);
    expect([...lines[0]!.words]).toHaveLength(300);
    expect(lines[0]!.name).toHaveLength(80);
    expect(clip('👍👍👍', 3)).toBe('👍👍👍');
    expect(clip('👍👍👍👍', 3)).toBe('👍👍…');
  });

  it('write shares as percent', () => {
    expect([0, 0.004, 0.0246, 0.41, 1].map(percent)).toEqual(
      ['0', '0.4', '2.5', '41', '100'].map((figure) => `${figure}\u202f%`),
    );
  });
});

describe('who was told', () => {
  const delivery = (route_id: string, state: string, minute: number) => {
    const at = `2026-01-26T10:${minute}:04Z`;
    return { route_id, state, created_at: at, done_at: state === 'queued' ? null : at };
  };

  it('is one line, the first route first', () => {
    const newestFirst = [
      delivery('rte_2', 'queued', 42),
      delivery('rte_1', 'delivered', 41),
      delivery('rte_2', 'failed', 33),
      delivery('rte_1', 'delivered', 32),
    ] as Delivery[];
    expect(listTold(newestFirst, new Map([['rte_1', 'on call']]))).toBe(
      'on call 10:32, 10:41 · rte_2 failed (10:33), waits (10:42)',
    );
    expect(listTold([], new Map())).toBe('');
  });
});
