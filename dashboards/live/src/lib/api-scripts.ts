/* The questions about scripts that the server runs on a device, and what is said of their runs. */
import { ask } from './http';

export type RunState = 'queued' | 'running' | 'succeeded' | 'failed' | 'aborted';
export type StepState = 'waiting' | 'running' | 'succeeded' | 'failed' | 'aborted' | 'skipped';
export type StepKind = 'command' | 'wait' | 'pause';

export interface ScriptStep {
  /** From 1. */
  number: number;
  line: number;
  kind: StepKind;
  /** What it does, in a few words. */
  text: string;
  state: StepState;
  message: string | null;
  took_ms: number | null;
  command_id: string | null;
}

/** The step that goes on. */
export interface CurrentStep {
  number: number;
  line: number;
  kind: StepKind;
  text: string;
  began_at: string;
}

export interface ScriptRun {
  run_id: string;
  device_id: string;
  name: string | null;
  asker: string;
  state: RunState;
  steps_total: number;
  steps_done: number;
  current: CurrentStep | null;
  /** Why it failed, or was aborted. */
  message: string | null;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  abort_asked_at: string | null;
  abort_asked_by: string | null;
}

export interface ScriptRunDetail extends ScriptRun {
  text: string;
  steps: ScriptStep[];
}

/** What a script would do. */
export interface CheckedScript {
  name: string | null;
  /** Commands of it that are dangerous. */
  dangerous: string[];
  steps: ScriptStep[];
}

export interface ScriptRunPage {
  data: ScriptRun[];
  next_cursor: string | null;
}

const at = (device_id: string, ...more: string[]): string =>
  ['/api/v1/devices', encodeURIComponent(device_id), 'scripts', ...more].join('/');

async function post<T>(path: string, body?: object, key?: string): Promise<T> {
  const headers = new Headers({ 'content-type': 'application/json' });
  if (key) headers.set('idempotency-key', key);
  const answer = await ask(path, {
    method: 'POST',
    headers,
    body: body ? JSON.stringify(body) : null,
  });
  return (await answer.json()) as T;
}

const get = async <T>(path: string): Promise<T> => (await (await ask(path)).json()) as T;

export const scriptApi = {
  check: (device_id: string, text: string) =>
    post<CheckedScript>(at(device_id, 'check'), { text }),

  /** Asked again with the same key it is run once. */
  run: (device_id: string, text: string, confirm_dangerous: boolean, key: string) =>
    post<ScriptRunDetail>(at(device_id), { text, confirm_dangerous }, key),

  list: (device_id: string, query: { limit: number; cursor?: string }) => {
    const { limit, cursor } = query;
    const search = new URLSearchParams({ limit: String(limit), ...(cursor ? { cursor } : {}) });
    return get<ScriptRunPage>(`${at(device_id)}?${search}`);
  },

  get: (device_id: string, run_id: string) => get<ScriptRunDetail>(at(device_id, run_id)),

  abort: (device_id: string, run_id: string) => post<ScriptRun>(at(device_id, run_id, 'abort')),
};
