/* API keys as the page tells them: how one is, what a new one is to allow, and what an entry of
   the audit log says. */
import type { ApiKey, AuditEntry, KeyBody, Scope } from './api-keys';
import { clip, MISSING } from './format';
import { type Faults, readWords } from './forms';
import { keyText as t } from './text-keys';

export const SCOPES: readonly Scope[] = ['read', 'ingest', 'operate', 'admin'];
export const LASTING = ['never', '30', '90', '365'] as const;
export const FIELDS: readonly (keyof KeyBody)[] = ['name', 'scopes', 'streams', 'expires_at'];

const DAY = 86_400_000;
/** A key that ends within this is worth a word. */
const SOON = 7 * DAY;
const NAME_MAX = 100;
const STREAM = /^[A-Za-z0-9_.:@~+=#*-]{1,128}$/;
const STREAMS_MAX = 50;

export type KeyState = 'good' | 'ending' | 'expired' | 'revoked';

export function stateOf(key: Pick<ApiKey, 'revoked_at' | 'expires_at'>, now: number): KeyState {
  if (key.revoked_at !== null) return 'revoked';
  if (key.expires_at === null) return 'good';
  const left = Date.parse(key.expires_at) - now;
  if (left <= 0) return 'expired';
  return left < SOON ? 'ending' : 'good';
}

export const isGood = (key: ApiKey, now: number): boolean =>
  !['expired', 'revoked'].includes(stateOf(key, now));

/** What stands in the fields. */
export interface KeyDraft {
  name: string;
  scopes: Scope[];
  streams: string;
  lasting: (typeof LASTING)[number];
}

/** The first key of a server opens all of it, or nobody could make a second one here. */
export const draftKey = (isFirst: boolean): KeyDraft => ({
  name: '',
  scopes: [isFirst ? 'admin' : 'read'],
  streams: '',
  lasting: 'never',
});

export function findFault(name: string, { name: typed, scopes, streams }: KeyDraft): string {
  if (name === 'name') {
    const { length } = typed.trim();
    return length > 0 && length <= NAME_MAX ? '' : t.faults.name(NAME_MAX);
  }
  if (name === 'scopes') return scopes.length ? '' : t.faults.scopes;
  if (name !== 'streams' || scopes.includes('admin')) return '';
  const patterns = readWords(streams);
  if (patterns.length > STREAMS_MAX) return t.faults.tooMany(STREAMS_MAX);
  return patterns.every((pattern) => STREAM.test(pattern)) ? '' : t.faults.streams;
}

export const findFaults = (draft: KeyDraft): Faults =>
  Object.fromEntries(
    FIELDS.flatMap((name) => {
      const fault = findFault(name, draft);
      return fault ? [[name, fault]] : [];
    }),
  );

export function writeKey(draft: KeyDraft, now: number): KeyBody {
  const patterns = draft.scopes.includes('admin') ? [] : readWords(draft.streams);
  return {
    name: draft.name.trim(),
    scopes: draft.scopes,
    streams: patterns.length ? patterns : null,
    expires_at:
      draft.lasting === 'never'
        ? null
        : new Date(now + Number(draft.lasting) * DAY).toISOString(),
  };
}

export interface Difference {
  field: string;
  before: string;
  after: string;
}

const DIFFERENCES_MAX = 8;
const VALUE_MAX = 60;
/** They change with every change. */
const ASIDE: ReadonlySet<string> = new Set(['updated_at', 'version']);

/** What changed, field by field; of what was made or deleted, what it was is not repeated. */
export function listDifferences({ before, after }: AuditEntry): Difference[] {
  if (!before || !after) return [];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .filter((name) => !ASIDE.has(name) && name in after)
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .slice(0, DIFFERENCES_MAX)
    .map((name) => ({ field: name, before: show(before[name]), after: show(after[name]) }));
}

function show(value: unknown): string {
  if (value === undefined || value === null || value === '') return MISSING;
  return clip(typeof value === 'string' ? value : JSON.stringify(value), VALUE_MAX);
}

/** What a thing was called when it was changed; its id where it has no name. */
export function nameOf({ before, after, target }: AuditEntry): string {
  const name = after?.['name'] ?? before?.['name'];
  return typeof name === 'string' ? name : target;
}
