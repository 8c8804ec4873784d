/* The questions about scripts that the server runs on a device. */
import type { components } from '../../generated/api';
import { client, read } from './http';

type Schemas = components['schemas'];

export type ScriptRun = Schemas['ScriptRunOut'];
export type ScriptRunDetail = Schemas['ScriptRunDetailOut'];
export type ScriptStep = Schemas['StepOut'];
export type CheckedScript = Schemas['CheckedOut'];
export type RunState = ScriptRun['state'];
export type StepState = ScriptStep['state'];

const at = (device_id: string) => ({ path: { device_id } });
const of = (device_id: string, run_id: string) => ({ path: { device_id, run_id } });

export const scriptApi = {
  check: (device_id: string, text: string) =>
    read(
      client.POST('/api/v1/devices/{device_id}/scripts/check', {
        params: at(device_id),
        body: { text },
      }),
    ),

  /** Asked again with the same key it is run once. */
  run: (device_id: string, text: string, confirm_dangerous: boolean, key: string) =>
    read(
      client.POST('/api/v1/devices/{device_id}/scripts', {
        params: { ...at(device_id), header: { 'idempotency-key': key } },
        body: { text, confirm_dangerous },
      }),
    ),

  list: (device_id: string, query: { limit: number; cursor?: string }) =>
    read(
      client.GET('/api/v1/devices/{device_id}/scripts', { params: { ...at(device_id), query } }),
    ),

  get: (device_id: string, run_id: string) =>
    read(
      client.GET('/api/v1/devices/{device_id}/scripts/{run_id}', {
        params: of(device_id, run_id),
      }),
    ),

  abort: (device_id: string, run_id: string) =>
    read(
      client.POST('/api/v1/devices/{device_id}/scripts/{run_id}/abort', {
        params: of(device_id, run_id),
      }),
    ),
};
