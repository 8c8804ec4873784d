import { describe, expect, it } from 'vitest';
import type { Command, CommandResult, Parameter, TelemetryType } from '../src/lib/api-devices';
import {
  DEADLINE,
  findFault,
  placeFaults,
  PRIORITY,
  readParameters,
  readUrgency,
  typeDefaults,
  wordBounds,
} from '../src/lib/command-form';
import {
  applyResult,
  catchUp,
  confirmationOf,
  hasEnded,
  isHeld,
  listSteps,
  stagesOf,
  tookMs,
} from '../src/lib/commands';
import { writeExample } from '../src/lib/device-example';
import {
  isShort,
  judge,
  Pace,
  staleAfter,
  trackOf,
  wordRange,
  wordValue,
} from '../src/lib/device-values';
import { measuredScale } from '../src/charts/spark-scale';
import { Problem } from '../src/lib/problem';

const AT = '2026-01-26T10:00:00Z';
const TYPE: TelemetryType = { data_type: 'float', last_updated: AT };
const RANGED: TelemetryType = { ...TYPE, range: { min: 20, max: 70 } };
const parameter = (more: Partial<Parameter>): Parameter => ({
  type: 'float',
  required: false,
  ...more,
});
const COMMAND: Command = {
  command_id: 'cmd_1',
  device_id: 'chamber-1',
  request_id: null,
  asker: 'mira',
  command: 'heat',
  parameters: {},
  priority: 5,
  dangerous: false,
  held: false,
  state: 'queued',
  status: 'pending',
  message: null,
  details: null,
  sends: 0,
  created_at: AT,
  deadline_at: '2026-01-26T10:01:00Z',
  confirm_expires_at: null,
  confirmed_at: null,
  confirmed_by: null,
  sent_at: null,
  acknowledged_at: null,
  running_at: null,
  ended_at: null,
};
const result = (more: Partial<CommandResult>): CommandResult => ({
  command: 'heat',
  command_id: 'cmd_1',
  status: 'pending',
  state: 'sent',
  message: null,
  details: null,
  ...more,
});

describe('values', () => {
  it('are written as what they are', () => {
    expect(wordValue(61.4)).toBe('61.4');
    expect(wordValue(1284)).toBe('1,284');
    expect(wordValue(1013, TYPE)).toBe('1013.0');
    expect(wordValue(false)).toBe('no');
    expect(wordValue('nominal')).toBe('nominal');
    expect(wordValue([1, 2])).toBe('[1,2]');
    expect(wordValue(undefined)).toBe('–');
    expect(wordValue(0)).toBe('0');
    expect(isShort('nominal')).toBe(true);
    expect(isShort({ version: 4 })).toBe(false);
  });

  it('say what they may be', () => {
    expect(wordRange(RANGED)).toBe('20–70');
    expect(wordRange({ ...TYPE, range: { min: -40, max: 150 } })).toBe('−40 to 150');
    expect(wordRange({ ...TYPE, range: { min: 0 } })).toBe('from 0');
    expect(wordRange({ ...TYPE, data_type: 'string', enum: ['ok', 'fault'] })).toBe('ok · fault');
    expect(wordRange(TYPE)).toBe('');
  });

  it('are over a limit, near it, or good', () => {
    const limits = [
      { side: 'low', value: 25 },
      { side: 'high', value: 60 },
    ] as const;
    const stateOf = (value: unknown, stale = false) => judge(value, RANGED, limits, stale).state;
    expect(stateOf(61.4)).toBe('over');
    expect(stateOf(24)).toBe('over');
    expect(stateOf(58)).toBe('near');
    expect(stateOf(57)).toBe('good');
    expect(stateOf(26)).toBe('near');
    expect(stateOf(61.4, true)).toBe('stale');
    expect(stateOf(undefined)).toBe('none');
    expect(judge(61.4, RANGED, limits, false).limit).toEqual(limits[1]);
  });

  it('lie in their range', () => {
    const limits = [{ side: 'high', value: 60 }] as const;
    expect(trackOf(45, RANGED, limits)).toEqual({ min: 20, max: 70, from: 0, to: 80, at: 50 });
    expect(trackOf(200, RANGED, [])?.at).toBe(100);
    expect(trackOf(undefined, RANGED, [])?.at).toBeNull();
    expect(trackOf(45, { ...TYPE, range: { min: 0 } }, [])).toBeNull();
  });

  it('are late by their own pace, which one pause does not move', () => {
    const pace = new Pace();
    pace.note(0);
    pace.note(2000);
    expect(pace.interval).toBeNull();
    for (const at of [4000, 60_000, 62_000, 62_000, 64_000]) pace.note(at);
    expect(pace.interval).toBe(2000);
    expect(staleAfter(2000)).toBe(10_000);
    expect(staleAfter(20_000)).toBe(60_000);
    expect(staleAfter(null)).toBe(Infinity);
  });

  it('fill the height of their line, below zero too', () => {
    expect(measuredScale(new Float32Array([NaN, -40, -20]))).toEqual([-41.6, -18.4]);
    const [low, high] = measuredScale(new Float32Array([70, 70]))!;
    expect([low < 70, high > 70]).toEqual([true, true]);
    expect(measuredScale(new Float32Array([NaN]))).toBeNull();
  });
});

describe('the form of a command', () => {
  const PARAMETERS = {
    target: parameter({ required: true, min: 0, max: 120 }),
    count: parameter({ type: 'int', min: 1 }),
    side: parameter({ type: 'string', enum: ['left', 'right'], default: 'left' }),
    gentle: parameter({ type: 'boolean', default: true }),
    note: parameter({ type: 'string' }),
  };

  it('begins with what is usual', () => {
    expect(typeDefaults(PARAMETERS)).toEqual({
      target: '',
      count: '',
      side: '"left"',
      gentle: 'true',
      note: '',
    });
  });

  it('says what is wrong with what is typed', () => {
    expect(findFault(PARAMETERS.target, '')).toBe('This is needed.');
    expect(findFault(PARAMETERS.target, '145')).toBe('145 is over the limit of 120.');
    expect(findFault(PARAMETERS.target, '-1')).toBe('-1 is under the limit of 0.');
    expect(findFault(PARAMETERS.target, 'hot')).toBe('“hot” is no number.');
    expect(findFault(PARAMETERS.target, '80,5')).toBe('');
    expect(findFault(PARAMETERS.count, '1.5')).toBe('1.5 is no whole number.');
    expect(findFault(PARAMETERS.count, '')).toBe('');
    expect(findFault(PARAMETERS.note, 'anything')).toBe('');
    expect(findFault(parameter({ required: true, default: 5 }), '')).toBe('');
  });

  it('sends what is typed as what it is, and leaves out what is not', () => {
    const typed = { ...typeDefaults(PARAMETERS), target: '80,5', gentle: 'false' };
    const { values, faults } = readParameters(PARAMETERS, typed);
    expect(values).toEqual({ target: 80.5, side: 'left', gentle: false });
    expect(faults).toEqual({});
    expect(readParameters(PARAMETERS, { target: '' }).faults).toEqual({
      target: 'This is needed.',
    });
  });

  it('says what a field takes', () => {
    expect(wordBounds(PARAMETERS.target)).toBe('0–120');
    expect(wordBounds(PARAMETERS.count)).toBe('whole, from 1');
    expect(wordBounds(PARAMETERS.note)).toBe('');
  });

  it('checks how urgent it is', () => {
    expect(readUrgency({}).values).toEqual({});
    expect(readUrgency({ [PRIORITY]: '0', [DEADLINE]: '2.5' }).values).toEqual({
      priority: 0,
      deadline_seconds: 2.5,
    });
    const { faults, values } = readUrgency({ [PRIORITY]: '10', [DEADLINE]: '0' });
    expect(Object.keys(faults)).toEqual([PRIORITY, DEADLINE]);
    expect(values).toEqual({});
  });

  it('shows the reasons of the server at their fields', () => {
    const refused = (...errors: { field: string; reason: string }[]) =>
      placeFaults(new Problem('No', 'Not so.', 422, '/x', 'about:blank', errors), PARAMETERS);
    expect(refused({ field: 'parameters.target', reason: '145.0 is greater than 120' })).toEqual({
      faults: { target: '145.0 is greater than 120.' },
      rest: '',
    });
    const missing = { field: 'parameters', reason: '"target" is a required property' };
    expect(refused(missing).faults).toEqual({ target: 'This is needed.' });
    expect(refused({ field: 'body.priority', reason: 'too high' }).faults).toEqual({
      [PRIORITY]: 'Too high.',
    });
    expect(refused({ field: 'command', reason: 'unknown' }).rest).toBe('Unknown.');
    expect(refused().rest).toBe('Not so.');
  });
});

describe('a command', () => {
  it('goes through its stages, and one word of them is enough', () => {
    let row = applyResult(COMMAND, result({ state: 'acknowledged' }), AT);
    expect([row.state, row.acknowledged_at]).toEqual(['acknowledged', AT]);
    expect(stagesOf(row)).toEqual({ marks: ['done', 'done', 'now', 'next', 'next'], tone: 'going' });
    const done = { state: 'succeeded', status: 'success', message: 'Hot.' } as const;
    row = applyResult(row, result(done), '2026-01-26T10:00:02Z');
    expect([row.message, row.ended_at, hasEnded(row)]).toEqual(['Hot.', '2026-01-26T10:00:02Z', true]);
    expect(stagesOf(row)).toEqual({ marks: Array(5).fill('done'), tone: 'good' });
    expect(listSteps(row).map(({ state }) => state)).toEqual([
      'queued',
      'acknowledged',
      'succeeded',
    ]);
    expect(tookMs(row, Date.now())).toBe(2000);
  });

  it('is not moved by an older word, nor after its end', () => {
    const running = applyResult(COMMAND, result({ state: 'running' }), AT);
    expect(applyResult(running, result({ state: 'sent' }), AT)).toBe(running);
    const ended = applyResult(running, result({ state: 'failed', status: 'error' }), AT);
    expect(applyResult(ended, result({ state: 'succeeded' }), AT)).toBe(ended);
  });

  it('is not set back by an answer that was on its way', () => {
    const heard = applyResult(COMMAND, result({ state: 'running' }), AT);
    const read: Command = { ...COMMAND, state: 'sent', sent_at: AT };
    expect(catchUp(heard, read)).toEqual({ ...heard, sent_at: AT });
    expect(catchUp(COMMAND, read)).toBe(read);
  });

  it('shows how far it came when it failed', () => {
    const failed: Command = { ...COMMAND, state: 'timed_out', sent_at: AT, ended_at: AT };
    expect(stagesOf(failed)).toEqual({
      marks: ['done', 'done', 'next', 'next', 'next'],
      tone: 'bad',
    });
    const cancelled: Command = { ...COMMAND, state: 'cancelled', ended_at: AT };
    expect(stagesOf(cancelled).tone).toBe('off');
    expect(tookMs(COMMAND, Date.parse(AT) + 3000)).toBe(3000);
  });

  it('that is held is released by its token only', () => {
    const confirmation = { token: 'abc', expires_at: AT };
    expect(confirmationOf({ ...COMMAND, held: true, confirmation })).toBe(confirmation);
    expect(confirmationOf({ ...COMMAND, confirmation: null })).toBeNull();
    expect(isHeld({ ...COMMAND, held: true })).toBe(true);
    expect(isHeld({ ...COMMAND, held: true, state: 'cancelled' })).toBe(false);
  });
});

describe('the example', () => {
  it('goes to this server, with a key where one is needed', () => {
    expect(writeExample('https://host', false)).toContain('"wss://host/ws/devices/thermometer-1"');
    expect(writeExample('http://host', true)).toContain('Bearer tk_');
  });
});
