import { describe, expect, it } from 'vitest';
import type { CheckedScript, ScriptRun, ScriptRunDetail, ScriptStep } from '../src/lib/api-scripts';
import type { Parameter, TelemetryType, Template } from '../src/lib/api-devices';
import { mergeRows } from '../src/lib/paged-rows';
import { Problem } from '../src/lib/problem';
import {
  applyRun,
  applyToDetail,
  hasEnded,
  linesOf,
  isSettled,
  partDone,
  stepTookMs,
  tookMs,
  waitsForWorker,
} from '../src/lib/script-runs';
import {
  addStep,
  countLines,
  indentAfter,
  moveFaults,
  placeFaults,
  placeOfLine,
  writeCommand,
  writeExample,
  writeValue,
} from '../src/lib/script-text';

const AT = '2026-01-26T10:00:00Z';
const START = Date.parse(AT);

const step = (number: number, more: Partial<ScriptStep> = {}): ScriptStep => ({
  number,
  line: number + 1,
  kind: 'pause',
  text: 'pause 5 s',
  state: 'waiting',
  message: null,
  took_ms: null,
  command_id: null,
  ...more,
});
const RUN: ScriptRun = {
  run_id: 'run_0123456789abcdef',
  device_id: 'chamber-1',
  name: 'warm up',
  asker: 'mira',
  state: 'queued',
  steps_total: 3,
  steps_done: 0,
  current: null,
  message: null,
  created_at: AT,
  started_at: null,
  ended_at: null,
  abort_asked_at: null,
  abort_asked_by: null,
};
const on = (number: number): ScriptRun => ({
  ...RUN,
  state: 'running',
  started_at: AT,
  steps_done: number - 1,
  current: { number, line: number + 1, kind: 'pause', text: 'pause 5 s', began_at: AT },
});
const ENDED: ScriptRun = {
  ...on(3),
  state: 'failed',
  current: null,
  message: 'line 4: heat failed',
  ended_at: '2026-01-26T10:00:09Z',
};
const detail = (run: ScriptRun, steps = [step(1), step(2), step(3)]): ScriptRunDetail => ({
  ...run,
  text: 'steps: []',
  steps,
});

describe('what is wrong with a script', () => {
  const problem = (errors: Problem['errors'], detail = 'It is none.') =>
    new Problem('Not valid', detail, 422, '/', 'about:blank', errors);

  it('stands at the lines that the server names', () => {
    const said = problem([
      { field: 'line 7', reason: "no command 'heet'" },
      { field: 'line 3', reason: 'parameters.target: 200 is greater than 120' },
      { field: 'body.text', reason: 'too long' },
    ]);
    expect(placeFaults(said)).toEqual({
      faults: [
        { line: 3, reason: 'Target: 200 is greater than 120.' },
        { line: 7, reason: "No command 'heet'." },
      ],
      rest: 'Too long.',
    });
    expect(placeFaults(problem([], 'the queue is full'))).toEqual({
      faults: [],
      rest: 'The queue is full.',
    });
  });

  it('moves with its line and is forgotten when that is changed', () => {
    const faults = [2, 4, 6].map((line) => ({ line, reason: 'wrong' }));
    const before = 'a\nb\nc\nd\ne\nf';
    const linesAfter = (after: string): number[] =>
      moveFaults(faults, before, after).map(({ line }) => line);
    expect(linesAfter('a\nb\nc\nD\ne\nf')).toEqual([2, 6]);
    expect(linesAfter('new\na\nb\nc\nd\ne\nf')).toEqual([3, 5, 7]);
    expect(linesAfter('a\nb\nc\ne\nf')).toEqual([2, 5]);
    expect(linesAfter('')).toEqual([]);
    expect(linesAfter(before)).toEqual([2, 4, 6]);
  });

  it('is found in the text', () => {
    const text = 'steps:\n  - pause: 5\n';
    expect(text.slice(...placeOfLine(text, 2))).toBe('  - pause: 5');
    expect(placeOfLine(text, 3)).toEqual([text.length, text.length]);
    expect(countLines(text)).toBe(3);
  });
});

describe('a script being written', () => {
  it('stands in as the line before it does', () => {
    expect(indentAfter('name: x')).toBe('');
    expect(indentAfter('name: x\nsteps:')).toBe('  - ');
    expect(indentAfter('steps:\n  - command: heat')).toBe('    ');
    expect(indentAfter('steps:\n  - command: heat\n    parameters: {target: 8}')).toBe('    ');
  });

  it('has values as YAML has them', () => {
    expect(writeValue('left')).toBe('left');
    expect(writeValue('yes')).toBe('"yes"');
    expect(writeValue('12')).toBe('"12"');
    expect(writeValue('a: b')).toBe('"a: b"');
    expect(writeValue({ side: 'left', at: [1, true, null] })).toBe('{side: left, at: [1, true, null]}');
  });

  it('takes a step at its end', () => {
    const heat = writeCommand('heat', { target: 80 });
    const begun = addStep('', heat);
    expect(begun).toBe('steps:\n  - command: heat\n    parameters: {target: 80}\n');
    expect(addStep(begun, writeCommand('vent', {}))).toBe(`${begun}  - command: vent\n`);
    expect(addStep('steps:\n- pause: 1\n', heat)).toBe(
      'steps:\n- pause: 1\n- command: heat\n  parameters: {target: 80}\n',
    );
    expect(addStep('name: x', ['- pause: 1'])).toBe('name: x\nsteps:\n  - pause: 1\n');
  });

  it('begins as an example of what the device registered', () => {
    const parameter = (more: Partial<Parameter>): Parameter =>
      ({ type: 'float', required: true, ...more }) as Parameter;
    const template = (parameters: Record<string, Parameter>, dangerous = false): Template =>
      ({ parameters, dangerous }) as Template;
    const templates = {
      alarm: template({ on: parameter({ type: 'boolean' }) }, true),
      beep: template({}),
      heat: template({
        target: parameter({ min: 5, max: 120 }),
        side: parameter({ type: 'string', enum: ['left', 'right'] }),
        gently: parameter({ required: false }),
      }),
    };
    const types: Record<string, TelemetryType> = {
      status: { data_type: 'string', enum: ['ok', 'fault'], last_updated: AT },
      temperature: { data_type: 'float', range: { min: -40, max: 150 }, last_updated: AT },
    };
    expect(writeExample(templates, types)).toBe(
      [
        'name: first try',
        'steps:',
        '  - command: heat',
        '    parameters: {target: 5, side: left}',
        '  - wait: {telemetry: temperature, is: ">=", value: -40, within_seconds: 60}',
        '  - pause: 2',
        '',
      ].join('\n'),
    );
    expect(writeExample({ alarm: templates.alarm }, { status: types['status']! })).toContain(
      'wait: {telemetry: status, is: "==", value: ok,',
    );
    expect(writeExample({}, {})).toBe('name: first try\nsteps:\n  - pause: 2\n');
  });
});

describe('a run', () => {
  it('goes on and never back', () => {
    expect(applyRun(on(2), on(1)).steps_done).toBe(1);
    expect(applyRun(on(2), on(3)).steps_done).toBe(2);
    expect(applyRun(ENDED, on(3)).state).toBe('failed');
    expect(applyRun(RUN, on(1)).state).toBe('running');
    const asked = { ...on(2), abort_asked_at: AT, abort_asked_by: 'jonas' };
    expect(applyRun(asked, on(2)).abort_asked_by).toBe('jonas');
    expect([hasEnded(RUN), hasEnded(on(1)), hasEnded(ENDED)]).toEqual([false, false, true]);
  });

  it('shows which step goes on before the steps are read', () => {
    const known = detail(on(1), [step(1, { state: 'running' }), step(2), step(3)]);
    const next = applyToDetail(known, on(3));
    expect(next.steps.map(({ state }) => state)).toEqual(['running', 'running', 'running']);
    const read = { ...known, steps: [step(1, { state: 'succeeded', took_ms: 40 }), step(2), step(3)] };
    expect(applyToDetail(read, on(2)).steps.map(({ state }) => state)).toEqual([
      'succeeded',
      'running',
      'waiting',
    ]);
    expect(applyToDetail(detail(ENDED), on(2))).toEqual(detail(ENDED));
  });

  it('stands once in a list, newest first, as it was last heard', () => {
    const older = { ...ENDED, run_id: 'run_0', created_at: '2026-01-26T09:00:00Z' };
    const merge = (known: ScriptRun[], read: ScriptRun[]): ScriptRun[] =>
      mergeRows(known, read, (run) => run.run_id, applyRun);
    expect(merge([older, ENDED], [on(2)])).toEqual([ENDED, older]);
    expect(merge([older, on(1)], [ENDED])).toEqual([ENDED, older]);
  });

  it('is read until all is known of its steps', () => {
    expect(isSettled(detail(ENDED))).toBe(false);
    const all = [step(1, { state: 'succeeded' }), step(2, { state: 'failed' }), step(3, { state: 'skipped' })];
    expect(isSettled(detail(ENDED, all))).toBe(true);
    expect(isSettled(detail(on(3), all))).toBe(false);
  });

  it('takes its time', () => {
    expect(tookMs(RUN, START + 5000)).toBeNull();
    expect(tookMs(on(1), START + 5000)).toBe(5000);
    expect(tookMs(ENDED, START + 60_000)).toBe(9000);
    expect(stepTookMs(step(2, { state: 'running' }), on(2), START + 1500)).toBe(1500);
    expect(stepTookMs(step(1, { took_ms: 40 }), on(2), START)).toBe(40);
    expect(stepTookMs(step(3), on(2), START)).toBeNull();
    expect(partDone(on(3))).toBeCloseTo(2 / 3);
    expect(partDone({ ...ENDED, state: 'succeeded' })).toBe(1);
  });

  it('waits for a worker when nobody takes it up', () => {
    expect(waitsForWorker(RUN, START + 1000)).toBe(false);
    expect(waitsForWorker(RUN, START + 10_000)).toBe(true);
    expect(waitsForWorker(on(1), START + 10_000)).toBe(false);
  });

  it('names the lines of what is dangerous', () => {
    const checked: CheckedScript = {
      name: null,
      dangerous: ['vent'],
      steps: [
        step(1, { kind: 'command', text: 'vent', line: 3 }),
        step(2, { kind: 'command', text: 'ventilate speed=2', line: 5 }),
        step(3, { kind: 'wait', text: 'vent' }),
        step(4, { kind: 'command', text: 'vent side=left', line: 9 }),
      ],
    };
    expect(linesOf(checked)).toEqual([3, 9]);
  });
});
