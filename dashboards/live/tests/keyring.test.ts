import { describe, expect, it } from 'vitest';
import type { ApiKey, AuditEntry } from '../src/lib/api-keys';
import {
  draftKey,
  findFaults,
  isGood,
  listDifferences,
  nameOf,
  stateOf,
  writeKey,
} from '../src/lib/keyring';

const NOW = Date.parse('2026-01-26T10:00:00Z');
const KEY: ApiKey = {
  key_id: 'key_1',
  name: 'hall',
  prefix: '0123456789ab',
  scopes: ['read'],
  streams: null,
  created_at: '2026-01-01T00:00:00Z',
  created_by: 'somebody',
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
};

describe('keys', () => {
  it('are good until they end', () => {
    const ends = (expires_at: string) => stateOf({ ...KEY, expires_at }, NOW);
    expect(stateOf(KEY, NOW)).toBe('good');
    expect(ends('2026-03-01T00:00:00Z')).toBe('good');
    expect(ends('2026-01-30T00:00:00Z')).toBe('ending');
    expect(ends('2026-01-26T10:00:00Z')).toBe('expired');
    const revoked = { ...KEY, revoked_at: '2026-01-02T00:00:00Z' };
    expect([stateOf(revoked, NOW), isGood(revoked, NOW)]).toEqual(['revoked', false]);
  });

  it('are made as the form says', () => {
    const draft = { ...draftKey(false), name: ' bench ', streams: 'bench-*, hall' };
    expect(findFaults(draft)).toEqual({});
    expect(writeKey({ ...draft, lasting: '30' }, NOW)).toEqual({
      name: 'bench',
      scopes: ['read'],
      streams: ['bench-*', 'hall'],
      expires_at: '2026-02-25T10:00:00.000Z',
    });
  });

  it('that are for admins reach every stream', () => {
    const draft = { ...draftKey(true), name: 'me', streams: 'a b' };
    expect(findFaults(draft)).toEqual({});
    expect(writeKey(draft, NOW)).toMatchObject({ scopes: ['admin'], streams: null });
  });

  it('say what is wrong with a new one', () => {
    const draft = { ...draftKey(false), scopes: [], streams: 'a b' };
    expect(Object.keys(findFaults(draft))).toEqual(['name', 'scopes', 'streams']);
  });
});

describe('the audit log', () => {
  const entry: AuditEntry = {
    id: 1,
    at: '2026-01-26T10:00:00Z',
    actor_key_id: null,
    actor_name: 'somebody',
    action: 'alert_rule.update',
    target: 'rul_1',
    before: { name: 'a', enabled: true, routes: ['x'], updated_at: '1' },
    after: { name: 'a', enabled: false, routes: ['x', 'y'], updated_at: '2' },
  };

  it('says what changed, and by which name', () => {
    expect(listDifferences(entry)).toEqual([
      { field: 'enabled', before: 'true', after: 'false' },
      { field: 'routes', before: '["x"]', after: '["x","y"]' },
    ]);
    expect(nameOf(entry)).toBe('a');
  });

  it('does not repeat what was made or deleted', () => {
    expect(listDifferences({ ...entry, before: null })).toEqual([]);
    expect(nameOf({ ...entry, before: null, after: { delivery_id: 'd' } })).toBe('rul_1');
  });
});
