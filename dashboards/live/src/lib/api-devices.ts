/* The questions of the devices page, and what is said on its socket. */
import type { components } from '../../generated/api';
import type { ScriptRun } from './api-scripts';
import { client, read } from './http';
import { readAll } from './lists';

type Schemas = components['schemas'];

export type Device = Schemas['DeviceOut'];
export type TelemetryType = Schemas['TelemetryTypeOut'];
export type Template = Schemas['CommandTemplateOut'];
export type Parameter = Schemas['ParameterOut'];
export type LinkChange = Schemas['LinkOut'];
export type Command = Schemas['CommandOut'];
export type CommandState = Command['state'];
export type QueuedCommand = Schemas['QueuedOut'];
export type CommandDetail = Schemas['CommandDetailOut'];
/** What is left out is the server's to say. */
export type CommandWish = Omit<Schemas['CommandIn'], 'priority'> & { priority?: number };
export type LogLine = Schemas['HistoryRowOut'];
export type LogKind = LogLine['type'];

export interface CommandFilter {
  state?: CommandState;
  command?: string;
  asker?: string;
  /** Asked for from here on, and up to here. */
  since?: string;
  until?: string;
  limit: number;
  cursor?: string;
}

export interface LogFilter {
  type?: LogKind;
  id?: string;
  limit: number;
  cursor?: string;
}

/** What `/ws/devices` says; the rest of it is about the connection itself. */
export type DeviceMessage = { timestamp: string } & (
  | { type: 'connected' | 'pong' }
  | { type: 'data'; device_id: string; id: string; value: unknown }
  | { type: 'command_result'; device_id: string; value: CommandResult }
  | { type: 'device_message'; device_id: string }
  | { type: 'script_run'; device_id: string; id: string; value: ScriptRun }
  | { type: 'device_link'; device_id: string; state: LinkChange['state']; reason: string }
  | { type: 'dropped'; count: number; replaced: number }
  | { type: 'error'; detail: string }
);

export interface CommandResult {
  command: string;
  /** null: it was refused before it was one. */
  command_id: string | null;
  status: Command['status'];
  state: CommandState;
  message: string | null;
  details: unknown;
}

const DEVICES_MAX = 1000;
/** As many as one comparison takes. */
export const CURVES_MAX = 8;
const MINUTE_MEAN = '/mean';

const at = (device_id: string) => ({ path: { device_id } });
const of = (device_id: string, command_id: string) => ({ path: { device_id, command_id } });

export const deviceApi = {
  list: () =>
    readAll<Device>((cursor) =>
      read(client.GET('/api/v1/devices', { params: { query: { limit: DEVICES_MAX, cursor } } })),
    ),

  get: (device_id: string) =>
    read(client.GET('/api/v1/devices/{device_id}', { params: at(device_id) })),

  getTypes: async (device_id: string) =>
    (
      await read(
        client.GET('/api/v1/devices/{device_id}/telemetry-types', { params: at(device_id) }),
      )
    ).telemetry_types,

  getTemplates: async (device_id: string) =>
    (
      await read(
        client.GET('/api/v1/devices/{device_id}/command-templates', { params: at(device_id) }),
      )
    ).command_templates,

  listLinks: (device_id: string, limit: number, cursor?: string) =>
    read(
      client.GET('/api/v1/devices/{device_id}/links', {
        params: { ...at(device_id), query: { limit, cursor } },
      }),
    ),

  listCommands: (device_id: string, query: CommandFilter) =>
    read(
      client.GET('/api/v1/devices/{device_id}/commands', { params: { ...at(device_id), query } }),
    ),

  getCommand: (device_id: string, command_id: string) =>
    read(
      client.GET('/api/v1/devices/{device_id}/commands/{command_id}', {
        params: of(device_id, command_id),
      }),
    ),

  /** Sent again with the same key it is queued once. */
  send: (device_id: string, body: CommandWish, key: string) =>
    read(
      client.POST('/api/v1/devices/{device_id}/commands', {
        params: { ...at(device_id), header: { 'idempotency-key': key } },
        body: body as Schemas['CommandIn'],
      }),
    ),

  confirm: (device_id: string, command_id: string, token: string) =>
    read(
      client.POST('/api/v1/devices/{device_id}/commands/{command_id}/confirm', {
        params: of(device_id, command_id),
        body: { token },
      }),
    ),

  cancel: (device_id: string, command_id: string) =>
    read(
      client.POST('/api/v1/devices/{device_id}/commands/{command_id}/cancel', {
        params: of(device_id, command_id),
      }),
    ),

  readLog: (device_id: string, query: LogFilter) =>
    read(
      client.GET('/api/v1/devices/{device_id}/history', { params: { ...at(device_id), query } }),
    ),

  clearLog: (device_id: string) =>
    read(
      client.DELETE('/api/v1/devices/{device_id}/history', {
        params: { ...at(device_id), query: { confirm: device_id } },
      }),
    ),

  /** The minutes of some channels since then, on one axis. */
  readCourses: (device_id: string, channels: readonly string[], start: number) =>
    read(
      client.GET('/api/v1/compare', {
        params: {
          query: {
            series: channels.map((name) => `${device_id}/channel:${name}${MINUTE_MEAN}`),
            start: new Date(start).toISOString(),
            resolution: '1m',
          },
        },
      }),
    ),
};
