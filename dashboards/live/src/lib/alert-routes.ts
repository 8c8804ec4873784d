/* Alert routes as a form holds them, and what is wrong with one. A target and a secret are taken
   and never shown again: an empty field leaves them as they are. */
import { findNameFault, findNumberFault } from './alert-rules';
import type { Hours, Route, RouteBody, RouteChange } from './api-alerts';
import { type Bounds, type Faults, listChanges, readNumber } from './forms';
import { findHoursFault } from './hours';
import { alertText as t } from './text-alerts';

export const KINDS = ['webhook', 'alertmanager', 'apprise'] as const;

export const RATE: Bounds = { min: 1, max: 6000, whole: true };
export const TIME_OUT: Bounds = { min: 0.1, max: 60 };

/** As Standard Webhooks has it: 24 to 64 bytes in base64. */
const SECRET = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;
const SECRET_BYTES = 32;
const TARGET = /^[\x21-\x7e]{1,2000}$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;

export interface RouteDraft {
  name: string;
  kind: Route['kind'];
  target: string;
  secret: string;
  /** Whether nothing is to be signed any more. */
  unsigned: boolean;
  rate_per_minute: string;
  quiet: Hours | null;
  critical_passes: boolean;
  timeout_s: string;
}

export const FIELDS: readonly (keyof RouteDraft)[] = [
  'name',
  'kind',
  'target',
  'secret',
  'rate_per_minute',
  'quiet',
  'critical_passes',
  'timeout_s',
];

export function draftRoute(route: Route | null): RouteDraft {
  return {
    name: route?.name ?? '',
    kind: route?.kind ?? 'webhook',
    target: '',
    secret: '',
    unsigned: false,
    rate_per_minute: String(route?.rate_per_minute ?? ''),
    quiet: route?.quiet ?? null,
    critical_passes: route?.critical_passes ?? true,
    timeout_s: String(route?.timeout_s ?? 10),
  };
}

/** What a field says when it is left. `isNew`: nothing is kept that an empty one could leave. */
export function findFault(name: keyof RouteDraft, draft: RouteDraft, isNew: boolean): string {
  switch (name) {
    case 'name':
      return findNameFault(draft.name);
    case 'target':
      return findTargetFault(draft, isNew);
    case 'secret':
      return !draft.secret || SECRET.test(draft.secret) ? '' : t.faults.secret;
    case 'rate_per_minute':
      return draft.rate_per_minute.trim() ? findNumberFault(draft.rate_per_minute, RATE) : '';
    case 'timeout_s':
      return findNumberFault(draft.timeout_s, TIME_OUT);
    case 'quiet':
      return findHoursFault(draft.quiet);
    default:
      return '';
  }
}

function findTargetFault({ kind, target }: RouteDraft, isNew: boolean): string {
  const typed = target.trim();
  if (!typed) return isNew ? t.faults.noTarget : '';
  if (!TARGET.test(typed)) return t.faults.target;
  if (kind === 'apprise') return SCHEME.test(typed) ? '' : t.faults.scheme;
  return /^https?:\/\/./i.test(typed) && URL.canParse(typed) ? '' : t.faults.http;
}

export const findFaults = (draft: RouteDraft, isNew: boolean): Faults =>
  Object.fromEntries(
    FIELDS.flatMap((name) => {
      const fault = findFault(name, draft, isNew);
      return fault ? [[name, fault]] : [];
    }),
  );

const plain = (draft: RouteDraft) => ({
  name: draft.name.trim(),
  rate_per_minute: readNumber(draft.rate_per_minute),
  quiet: draft.quiet,
  critical_passes: draft.critical_passes,
  timeout_s: readNumber(draft.timeout_s) ?? 0,
});

export function writeRoute(draft: RouteDraft): RouteBody {
  const isSigned = draft.kind === 'webhook' && draft.secret !== '';
  return {
    ...plain(draft),
    enabled: true,
    kind: draft.kind,
    target: draft.target.trim(),
    secret: isSigned ? draft.secret : null,
  };
}

/** Only what differs; its secrets only where they were typed anew. */
export function writeChanges(route: Route, draft: RouteDraft): RouteChange {
  const changes: RouteChange = listChanges(plain(draftRoute(route)), plain(draft));
  if (draft.target.trim()) changes.target = draft.target.trim();
  if (draft.secret) changes.secret = draft.secret;
  else if (draft.unsigned) changes.secret = null;
  return changes;
}

/** A new secret, made here and known nowhere else yet. */
export function makeSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
