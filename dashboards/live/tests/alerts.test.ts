import { describe, expect, it } from 'vitest';
import {
  describeRule,
  describeStreams,
  draftRule,
  findFaults,
  writeRule,
} from '../src/lib/alert-rules';
import {
  draftRoute,
  findFault as findRouteFault,
  makeSecret,
  writeChanges,
  writeRoute,
} from '../src/lib/alert-routes';
import type { Delivery, DeliveryCount, Route, Rule } from '../src/lib/api-alerts';
import {
  countByRoute,
  countByRule,
  listMarks,
  listTold,
  sumDay,
  took,
  wordState,
  wordSubject,
} from '../src/lib/deliveries';
import { listChanges, readFaults, readNumber, readWords } from '../src/lib/forms';
import { describeHours, findHoursFault } from '../src/lib/hours';
import { Problem } from '../src/lib/problem';

const RULE: Rule = {
  rule_id: 'rul_0123456789abcdef',
  name: 'spikes',
  enabled: true,
  stream: 'northlight_*',
  kind: '*',
  tags: ['hall'],
  types: ['chat_spike', 'silence'],
  min_score: 2.5,
  min_duration_s: 20,
  schedule: { days: ['mon', 'tue', 'wed', 'fri'], from: '08:00', to: '18:00', zone: 'UTC' },
  severity: 'critical',
  group_by: ['stream'],
  group_wait_s: 0,
  cool_down_s: 300,
  routes: ['rte_0123456789abcdef'],
  tell_ends: true,
  created_at: '2026-01-26T10:00:00Z',
  created_by: 'somebody',
  updated_at: '2026-01-26T10:00:00Z',
};
const ROUTE: Route = {
  route_id: 'rte_0123456789abcdef',
  name: 'on call',
  kind: 'webhook',
  enabled: true,
  target: 'https://a.example/…',
  has_secret: true,
  rate_per_minute: null,
  quiet: null,
  critical_passes: true,
  timeout_s: 10,
  created_at: RULE.created_at,
  created_by: 'somebody',
  updated_at: RULE.created_at,
};
const AT = Date.parse('2026-01-26T10:32:00Z');
const DELIVERY: Delivery = {
  delivery_id: 'dlv_1',
  rule_id: RULE.rule_id,
  route_id: ROUTE.route_id,
  group: { stream: 'hall', type: 'chat_spike' },
  severity: 'info',
  is_test: false,
  state: 'delivered',
  moment_ids: ['mom_1'],
  created_at: '2026-01-26T10:32:00Z',
  next_at: '2026-01-26T10:32:40Z',
  attempts: 2,
  done_at: '2026-01-26T10:32:06.4Z',
  reason: null,
};

describe('forms', () => {
  it('read numbers as people write them', () => {
    expect(['2.5', ' 2,5 ', '300', '.5', '1e3'].map(readNumber)).toEqual([2.5, 2.5, 300, 0.5, 1000]);
    expect(['', ' ', 'x', '1 2', '0x10', '1.2.3', 'Infinity'].map(readNumber)).toEqual(
      Array(7).fill(null),
    );
  });

  it('read words between commas, each once', () => {
    expect(readWords(' a, b,,a , c d')).toEqual(['a', 'b', 'c d']);
    expect(readWords('  ')).toEqual([]);
  });

  it('tell what differs', () => {
    expect(listChanges({ a: 1, b: ['x'] }, { a: 1, b: ['x', 'y'] })).toEqual({ b: ['x', 'y'] });
  });

  it('put what the server says to the field that it names', () => {
    const problem = (errors: { field: string; reason: string }[], detail = '') =>
      new Problem('A value is not allowed', detail, 422, '/x', 'about:blank', errors);
    const fields = ['name', 'target', 'quiet'];
    expect(readFaults(problem([{ field: 'name', reason: 'is too long' }]), fields)).toEqual({
      faults: { name: 'Is too long.' },
      rest: '',
    });
    const inside = [{ field: 'body', reason: 'Value error, target: names no host' }];
    expect(readFaults(problem(inside), fields).faults).toEqual({ target: 'Names no host.' });
    const deep = [{ field: 'quiet.zone', reason: 'there is no such time zone' }];
    expect(readFaults(problem(deep), fields).faults).toEqual({
      quiet: 'There is no such time zone.',
    });
    expect(readFaults(problem([], 'target: Apprise knows no such service.'), fields).faults).toEqual(
      { target: 'Apprise knows no such service.' },
    );
    expect(readFaults(problem([], 'There is a rule of that name already.'), fields)).toEqual({
      faults: {},
      rest: 'There is a rule of that name already.',
    });
  });
});

describe('rules', () => {
  it('come out of the form as they went in', () => {
    const { rule_id: _id, enabled: _e, created_at: _c, created_by: _b, updated_at: _u, ...sent } =
      RULE;
    expect(writeRule(draftRule(RULE))).toEqual(sent);
    expect(findFaults(draftRule(RULE))).toEqual({});
  });

  it('say what is wrong, field by field', () => {
    const draft = { ...draftRule(null), stream: 'a b', min_score: '-1', cool_down_s: '86401' };
    expect(Object.keys(findFaults(draft)).sort()).toEqual([
      'cool_down_s',
      'min_score',
      'name',
      'routes',
      'stream',
    ]);
    expect(findFaults(draft)['cool_down_s']).toBe('From 0 to 86,400.');
  });

  it('are told in words', () => {
    expect(describeStreams(RULE)).toBe('northlight_*, tagged hall');
    expect(describeStreams({ ...RULE, stream: '*', tags: [] })).toBe('all streams');
    expect(describeRule(RULE)).toBe(
      'chat spike, silence · 2.5 and up · 20\u202fs at least · Mon–Wed, Fri 08:00–18:00 UTC',
    );
    expect(describeRule({ ...RULE, types: [], min_score: 0, min_duration_s: 0, schedule: null })).toBe(
      'any type',
    );
  });

  it('have hours that make sense', () => {
    const hours = RULE.schedule!;
    expect(findHoursFault(hours)).toBe('');
    expect(findHoursFault({ ...hours, days: [] })).not.toBe('');
    expect(findHoursFault({ ...hours, zone: 'Mars/Olympus' })).not.toBe('');
    expect(findHoursFault({ ...hours, from: '24:00' })).not.toBe('');
    expect(describeHours({ ...hours, days: ['sat', 'sun'], from: '00:00', to: '00:00' })).toBe(
      'Sat, Sun all day UTC',
    );
  });
});

describe('routes', () => {
  it('keep what was not typed anew', () => {
    expect(writeChanges(ROUTE, draftRoute(ROUTE))).toEqual({});
    const draft = { ...draftRoute(ROUTE), rate_per_minute: '20', target: ' https://b.example/x ' };
    expect(writeChanges(ROUTE, draft)).toEqual({
      rate_per_minute: 20,
      target: 'https://b.example/x',
    });
    expect(writeChanges(ROUTE, { ...draftRoute(ROUTE), unsigned: true })).toEqual({ secret: null });
  });

  it('sign only webhooks', () => {
    const draft = { ...draftRoute(null), name: 'a', target: 'http://b.example', secret: makeSecret() };
    expect(writeRoute(draft).secret).toBe(draft.secret);
    expect(writeRoute({ ...draft, kind: 'alertmanager' }).secret).toBeNull();
    expect(findRouteFault('secret', draft, true)).toBe('');
    expect(findRouteFault('secret', { ...draft, secret: 'whsec_short' }, true)).not.toBe('');
  });

  it('need a target that fits their kind, once', () => {
    const judge = (target: string, kind: Route['kind'], isNew = true): boolean =>
      findRouteFault('target', { ...draftRoute(null), target, kind }, isNew) === '';
    expect(judge('', 'webhook')).toBe(false);
    expect(judge('', 'webhook', false)).toBe(true);
    expect(judge('ftp://a.example', 'webhook')).toBe(false);
    expect(judge('https://a.example/x?y=1', 'webhook')).toBe(true);
    expect(judge('https://a b', 'alertmanager')).toBe(false);
    expect(judge('slack://token', 'apprise')).toBe(true);
    expect(judge('token', 'apprise')).toBe(false);
  });
});

describe('deliveries', () => {
  const as = (change: Partial<Delivery>): Delivery => ({ ...DELIVERY, ...change });

  it('have a square an attempt', () => {
    expect(listMarks(DELIVERY)).toEqual(['failed', 'taken']);
    expect(listMarks(as({ state: 'queued', attempts: 0 }))).toEqual(['waits']);
    expect(listMarks(as({ state: 'queued', attempts: 2 }))).toEqual(['failed', 'failed', 'waits']);
    expect(listMarks(as({ state: 'sending', attempts: 1 }))).toEqual(['waits']);
    expect(listMarks(as({ state: 'failed', attempts: 40 }))).toEqual(Array(5).fill('failed'));
    expect(listMarks(as({ state: 'failed', attempts: 0 }))).toEqual([]);
  });

  it('say how far they are', () => {
    expect(wordState(DELIVERY, AT)).toBe('delivered');
    expect(wordState(as({ state: 'queued' }), AT)).toBe('waits, next in 40\u202fs');
    expect(wordState(as({ state: 'queued', attempts: 0 }), AT)).toBe('waits');
    expect(took(DELIVERY)).toBe('6.4\u202fs');
    expect(took(as({ state: 'failed' }))).toBe('–');
  });

  it('say what they tell of', () => {
    expect(wordSubject(DELIVERY)).toBe('Chat spike, hall');
    expect(wordSubject(as({ moment_ids: ['a', 'b'] }))).toBe('Chat spike, hall (2)');
    expect(wordSubject(as({ group: {}, moment_ids: ['a', 'b'] }))).toBe('2 moments');
    expect(wordSubject(as({ is_test: true }))).toBe('Test');
  });

  it('are counted by rule, by route and for the day', () => {
    const counts: DeliveryCount[] = [
      { rule_id: 'a', route_id: 'x', state: 'delivered', deliveries: 5, newer: 2 },
      { rule_id: 'a', route_id: 'y', state: 'queued', deliveries: 1, newer: 0 },
      { rule_id: null, route_id: 'x', state: 'failed', deliveries: 3, newer: 3 },
    ];
    expect(sumDay(counts)).toEqual({ delivered: 2, waiting: 1, failed: 3 });
    expect([...countByRule(counts)]).toEqual([['a', 6]]);
    expect(countByRoute(counts).get('x')).toEqual({ delivered: 5, waiting: 0, failed: 3 });
  });

  it('show of what they say only what can be shown', () => {
    const told = { moment_id: 'm', stream_id: 's', what: 'opened', description: 'Chat spike' };
    expect(listTold({ moments: [told, null, { moment_id: 3 }, 'x'] })).toEqual([told]);
    expect(listTold({})).toEqual([]);
  });
});
