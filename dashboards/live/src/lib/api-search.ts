/* What the search asks the server: streams, devices and boards that the page does not know, and a
   moment by its id. */
import { api } from './api';
import { client, read } from './http';
import { Problem } from './problem';
import type { Moment } from './types';

const STREAMS_MAX = 20;
const BOARDS_MAX = 200;
const SESSIONS_MAX = 200;
const DEVICES_MAX = 1000;

/** Moments are called like this; anything else is not worth a question. */
const MOMENT_ID = /^mom_[0-9a-f]{20}$/;

export interface BoardName {
  board_id: string;
  name: string;
}

export interface SessionName {
  id: string;
  name: string;
  stream_ids: string[];
}

export const findStreams = (q: string, signal: AbortSignal) =>
  api.findStreams(q, STREAMS_MAX, signal);

/** The moment of this id, or null when there is none or nobody would call one so. */
export async function findMoment(id: string, signal: AbortSignal): Promise<Moment | null> {
  if (!MOMENT_ID.test(id)) return null;
  try {
    const path = { moment_id: id };
    return await read(
      client.GET('/api/v1/moments/{moment_id}', { params: { path }, signal }),
    );
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/** The newest sessions, by name. */
export const listSessions = async (signal: AbortSignal): Promise<SessionName[]> =>
  (
    await read(
      client.GET('/api/v1/sessions', { params: { query: { limit: SESSIONS_MAX } }, signal }),
    )
  ).data;
export interface DeviceName {
  device_id: string;
  title: string | null;
  kind: string | null;
}

/** Devices by id. */
export const listDevices = async (signal: AbortSignal): Promise<DeviceName[]> =>
  (await read(client.GET('/api/v1/devices', { params: { query: { limit: DEVICES_MAX } }, signal })))
    .data;

/** Boards by name. */
export const listBoards = async (signal: AbortSignal): Promise<BoardName[]> =>
  (await read(client.GET('/api/v1/boards', { params: { query: { limit: BOARDS_MAX } }, signal })))
    .data;
