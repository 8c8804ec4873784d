/* The text of a script as it is written on the page: its lines, what is wrong with them, a step added
   to it, and an example out of what a device registered. Pure. */
import type { Parameter, TelemetryType, Template } from './api-devices';
import { sentence } from './forms';
import type { Problem } from './problem';

/** What is wrong with one line, counted from 1. */
export interface LineFault {
  line: number;
  reason: string;
}

export const countLines = (text: string): number => text.split('\n').length;

/** What the server finds fault with, at the lines that it names; the rest is for the whole text. */
export function placeFaults(problem: Problem): { faults: LineFault[]; rest: string } {
  const faults: LineFault[] = [];
  const rest: string[] = problem.errors.length ? [] : [sentence(problem.detail)];
  for (const { field, reason } of problem.errors) {
    const line = Number(/(?:^|\.)line (\d+)$/.exec(field)?.[1]);
    // That a parameter is one, its line says.
    if (line) faults.push({ line, reason: sentence(reason.replace(/^parameters\./, '')) });
    else rest.push(sentence(reason));
  }
  return { faults: faults.sort((a, b) => a.line - b.line), rest: rest.join(' ') };
}

/** After a change of the text: what stood below it has moved, and of what was changed nothing is
    known any more. */
export function moveFaults(
  faults: readonly LineFault[],
  before: string,
  after: string,
): LineFault[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const least = Math.min(old.length, now.length);
  let head = 0;
  while (head < least && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < least - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  return faults.flatMap((fault) => {
    if (fault.line <= head) return [fault];
    if (fault.line <= old.length - tail) return [];
    return [{ ...fault, line: fault.line + now.length - old.length }];
  });
}

/** Where a line begins and ends in the text. */
export function placeOfLine(text: string, line: number): [from: number, to: number] {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1);
  const from = before.reduce((sum, one) => sum + one.length + 1, 0);
  return [from, from + (lines[line - 1]?.length ?? 0)];
}

/** How far a line that is begun after this text stands in; after the first of a step it is one of
    its parts. */
export const indentAfter = (text: string): string => {
  const line = text.slice(text.lastIndexOf('\n') + 1);
  const [, space, dash] = /^( *)(- +)?/.exec(line) ?? ['', '', ''];
  if (/:\s*$/.test(line) && line.trim() === 'steps:') return `${space}  - `;
  return `${space}${' '.repeat(dash?.length ?? 0)}`;
};

const PLAIN = /^[A-Za-z_][\w.-]*$/;
/** Words that YAML takes for something else than a text. */
const RESERVED = /^(true|false|yes|no|on|off|null|y|n)$/i;

/** A value as YAML has it; JSON is YAML, and names need no quotes. */
export function writeValue(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value) && !RESERVED.test(value)) return value;
  if (Array.isArray(value)) return `[${value.map(writeValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).map(([name, one]) => `${writeKey(name)}: ${writeValue(one)}`);
    return `{${parts.join(', ')}}`;
  }
  return JSON.stringify(value);
}

const writeKey = (name: string): string => writeValue(name);

/** A step that sends a command, as lines that do not stand in. */
export function writeCommand(command: string, parameters: Readonly<Record<string, unknown>>): string[] {
  const lines = [`- command: ${writeValue(command)}`];
  if (Object.keys(parameters).length) lines.push(`  parameters: ${writeValue(parameters)}`);
  return lines;
}

/** The text with one more step at its end, standing in as the others do. */
export function addStep(text: string, step: readonly string[]): string {
  const had = text.trimEnd();
  if (had === '') return ['steps:', ...step.map((line) => `  ${line}`), ''].join('\n');
  const [, indent] = /^( *)- (?:command|wait|pause):/m.exec(had) ?? [];
  const begin = /^steps:/m.test(had) ? [had] : [had, 'steps:'];
  return [...begin, ...step.map((line) => `${indent ?? '  '}${line}`), ''].join('\n');
}

const WAIT_S = 60;

/** A script of this device: a command that is not dangerous, a wait for what it measures, a pause. */
export function writeExample(
  templates: Readonly<Record<string, Template>>,
  types: Readonly<Record<string, TelemetryType>>,
): string {
  const steps = [...exampleCommand(templates), ...exampleWait(types), '- pause: 2'];
  return ['name: first try', 'steps:', ...steps.map((line) => `  ${line}`), ''].join('\n');
}

const byName = (a: [string, unknown], b: [string, unknown]): number => a[0].localeCompare(b[0]);
const needed = (template: Template): [string, Parameter][] =>
  Object.entries(template.parameters).filter(([, one]) => one.required);

function exampleCommand(templates: Readonly<Record<string, Template>>): string[] {
  const tame = Object.entries(templates).filter(([, template]) => !template.dangerous);
  // One that shows how parameters are written, if there is one.
  const [found] = tame
    .sort(byName)
    .sort(([, a], [, b]) => Number(needed(b).length > 0) - Number(needed(a).length > 0));
  if (!found) return [];
  const [name, template] = found;
  const given = needed(template).map(([key, one]) => [key, exampleValue(one)] as const);
  return writeCommand(name, Object.fromEntries(given));
}

function exampleValue({ type, default: usual, enum: words, min, max }: Parameter): unknown {
  if (usual !== null && usual !== undefined) return usual;
  if (words?.length) return words[0];
  if (type === 'boolean') return true;
  if (type === 'string') return 'text';
  const low = min ?? Math.min(1, max ?? 1);
  return type === 'int' ? Math.ceil(low) : low;
}

function exampleWait(types: Readonly<Record<string, TelemetryType>>): string[] {
  const known = Object.entries(types).sort(byName);
  const number = known.find(([, { data_type: type }]) => type === 'float' || type === 'int');
  if (number) {
    const [telemetry, { range }] = number;
    return [writeWait(telemetry, '>=', range?.min ?? 0)];
  }
  const word = known.find(([, type]) => type.enum?.length);
  return word ? [writeWait(word[0], '==', word[1].enum![0])] : [];
}

function writeWait(telemetry: string, is: string, value: unknown): string {
  const name = writeValue(telemetry);
  return `- wait: {telemetry: ${name}, is: "${is}", value: ${writeValue(value)}, within_seconds: ${WAIT_S}}`;
}
