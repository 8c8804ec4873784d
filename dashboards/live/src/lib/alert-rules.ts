/* Alert rules as a form holds them, what is wrong with one, and what one is about in words. */
import type { Hours, Rule, RuleBody } from './api-alerts';
import { duration, type Severity } from './format';
import { type Bounds, type Faults, readNumber, readWords } from './forms';
import { describeHours, findHoursFault } from './hours';
import { alertText as t } from './text-alerts';
import { momentName } from './text';

export const TYPES: readonly RuleType[] = [
  'chat_spike',
  'chat_drop',
  'viewer_spike',
  'viewer_drop',
  'sentiment_shift',
  'transaction_spike',
  'reading_anomaly',
  'flatline',
  'silence',
];
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export const DIMENSIONS = ['stream', 'type', 'severity'] as const;

export type RuleType = NonNullable<RuleBody['types']>[number];
export type Dimension = (typeof DIMENSIONS)[number];

const DAY_S = 86_400;
/** As the server has them; it is asked in any case. */
export const BOUNDS = {
  min_score: { min: 0, max: 1e9 },
  min_duration_s: { min: 0, max: DAY_S },
  group_wait_s: { min: 0, max: 3600 },
  cool_down_s: { min: 0, max: DAY_S },
} as const satisfies Record<string, Bounds>;
export type RuleNumber = keyof typeof BOUNDS;

const NAME_MAX = 100;
const STREAM = /^[A-Za-z0-9_.:@~+=#*-]{1,128}$/;
const WORD = /^[^\0[\]?]{1,100}$/;

/** What stands in the fields. */
export interface RuleDraft extends Record<RuleNumber, string> {
  name: string;
  stream: string;
  kind: string;
  tags: string;
  types: RuleType[];
  severity: (typeof SEVERITIES)[number];
  group_by: Dimension[];
  schedule: Hours | null;
  routes: string[];
  tell_ends: boolean;
}

export const FIELDS: readonly (keyof RuleDraft)[] = [
  'name',
  'stream',
  'kind',
  'tags',
  'types',
  'min_score',
  'min_duration_s',
  'schedule',
  'severity',
  'group_by',
  'group_wait_s',
  'cool_down_s',
  'routes',
  'tell_ends',
];

/** The fields of a rule as it is, or of a new one: what is medium and up, on all streams. */
export function draftRule(rule: Rule | null): RuleDraft {
  return {
    name: rule?.name ?? '',
    stream: rule?.stream ?? '*',
    kind: rule?.kind ?? '*',
    tags: (rule?.tags ?? []).join(', '),
    types: (rule?.types ?? []) as RuleType[],
    min_score: String(rule?.min_score ?? 1.5),
    min_duration_s: String(rule?.min_duration_s ?? 0),
    severity: rule?.severity ?? 'warning',
    group_by: rule?.group_by ?? ['stream', 'type'],
    group_wait_s: String(rule?.group_wait_s ?? 0),
    cool_down_s: String(rule?.cool_down_s ?? 300),
    schedule: rule?.schedule ?? null,
    routes: rule?.routes ?? [],
    tell_ends: rule?.tell_ends ?? true,
  };
}

/** What a field says when it is left; empty when nothing is wrong. */
export function findFault(name: keyof RuleDraft, draft: RuleDraft): string {
  if (name in BOUNDS) {
    const bounds = BOUNDS[name as RuleNumber];
    return findNumberFault(draft[name as RuleNumber], bounds);
  }
  switch (name) {
    case 'name':
      return findNameFault(draft.name);
    case 'stream':
      return STREAM.test(draft.stream.trim()) ? '' : t.faults.stream;
    case 'kind':
      return WORD.test(draft.kind.trim()) ? '' : t.faults.kind;
    case 'tags':
      return readWords(draft.tags).every((tag) => WORD.test(tag)) ? '' : t.faults.tags;
    case 'routes':
      return draft.routes.length ? '' : t.faults.routes;
    case 'schedule':
      return findHoursFault(draft.schedule);
    default:
      return '';
  }
}

export function findNameFault(name: string): string {
  const length = name.trim().length;
  return length > 0 && length <= NAME_MAX ? '' : t.faults.name(NAME_MAX);
}

export function findNumberFault(typed: string, { min, max, whole }: Bounds): string {
  const value = readNumber(typed);
  if (value === null) return t.faults.noNumber;
  if (value < min || value > max) return t.faults.range(min, max);
  return whole && !Number.isInteger(value) ? t.faults.whole : '';
}

export const findFaults = (draft: RuleDraft): Faults =>
  Object.fromEntries(
    FIELDS.flatMap((name) => {
      const fault = findFault(name, draft);
      return fault ? [[name, fault]] : [];
    }),
  );

/** What is sent; the fields hold no faults. */
export function writeRule(draft: RuleDraft): Omit<Required<RuleBody>, 'enabled'> {
  const number = (name: RuleNumber): number => readNumber(draft[name]) ?? 0;
  return {
    name: draft.name.trim(),
    stream: draft.stream.trim(),
    kind: draft.kind.trim(),
    tags: readWords(draft.tags),
    types: draft.types,
    min_score: number('min_score'),
    min_duration_s: number('min_duration_s'),
    schedule: draft.schedule,
    severity: draft.severity,
    group_by: draft.group_by,
    group_wait_s: number('group_wait_s'),
    cool_down_s: number('cool_down_s'),
    routes: draft.routes,
    tell_ends: draft.tell_ends,
  };
}

/** Bars beside a rule: how much it matters. */
export const levelOf = (severity: Rule['severity']): Severity =>
  ({ info: 'low', warning: 'medium', critical: 'critical' }) [severity] as Severity;

/** Which streams a rule is about: “northlight_*, kind bench, tagged hall”. */
export function describeStreams(rule: Rule): string {
  const parts = [
    rule.stream === '*' ? '' : rule.stream,
    rule.kind === '*' ? '' : t.fits.kind(rule.kind),
    rule.tags.length ? t.fits.tags(rule.tags.join(', ')) : '',
  ].filter(Boolean);
  return parts.join(', ') || t.fits.everything;
}

/** What of them: “chat spike, silence · 2.5 and up · 20 s at least · Mon–Fri 08:00–18:00 UTC”. */
export function describeRule(rule: Rule): string {
  const types = rule.types.map((type) => momentName(type).toLowerCase()).join(', ');
  return [
    types || t.fits.anyType,
    rule.min_score > 1 ? t.fits.score(rule.min_score) : '',
    rule.min_duration_s ? t.fits.lasting(duration(rule.min_duration_s * 1000)) : '',
    rule.schedule ? describeHours(rule.schedule) : '',
  ]
    .filter(Boolean)
    .join(' · ');
}
