/* The questions of the keys page. */
import type { components } from '../../generated/api';
import { client, read } from './http';

type Schemas = components['schemas'];

export type ApiKey = Schemas['KeyOut'];
export type KeyMade = Schemas['KeyMadeOut'];
export type KeyBody = Schemas['KeyIn'];
export type Scope = KeyBody['scopes'][number];
export type AuditEntry = Schemas['AuditEntryOut'];

const KEYS_PAGE = 100;
const AUDIT_PAGE = 50;

export const keysApi = {
  listKeys: (cursor?: string) =>
    read(client.GET('/api/v1/keys', { params: { query: { limit: KEYS_PAGE, cursor } } })),

  createKey: (body: KeyBody) => read(client.POST('/api/v1/keys', { body })),

  rotateKey: (key_id: string) =>
    read(client.POST('/api/v1/keys/{key_id}/rotate', { params: { path: { key_id } } })),

  revokeKey: (key_id: string) =>
    read(client.DELETE('/api/v1/keys/{key_id}', { params: { path: { key_id } } })),

  listAudit: (cursor?: string) =>
    read(client.GET('/api/v1/audit', { params: { query: { limit: AUDIT_PAGE, cursor } } })),
};
