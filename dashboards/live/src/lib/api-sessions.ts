/* The questions that sessions ask the API. A change of a note names the version that was seen. */
import { ask, client, read } from './http';
import { during, readAll } from './lists';
import type { Span } from './minutes';
import { Problem } from './problem';
import type {
  ExportFormat,
  Note,
  NoteChange,
  NoteVersion,
  NoteWish,
  Point,
  Session,
  SessionChange,
  SessionStatus,
  SessionWish,
  SttTask,
  Summary,
} from './session-types';
import type { ChannelMinute } from './types';

/** A page of the list; more are read when they are asked for. */
const PAGE = 100;
const NOTES_PAGE = 1000;
/** Single values of one channel in one answer; a wider span is shown by the minute. */
export const POINTS_MAX = 4000;
/** Values of minutes that a chart can tell apart. */
const DRAWN_MAX = 1200;

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export interface SpeechWish {
  audio: Blob;
  chunkId: string;
  startedAt: number;
  speaker: string;
}

const pathOf = (session_id: string): string =>
  `/api/v1/sessions/${encodeURIComponent(session_id)}`;
const seen = (note: Note) => ({ 'If-Match': `"${note.version}"` });

export const sessionApi = {
  list: (
    wanted: { status?: SessionStatus | undefined; q?: string; cursor?: string | undefined },
    signal?: AbortSignal,
  ): Promise<Page<Session>> =>
    read(
      client.GET('/api/v1/sessions', { params: { query: { ...wanted, limit: PAGE } }, signal }),
    ),

  create: (body: SessionWish): Promise<Session> =>
    read(client.POST('/api/v1/sessions', { body })),

  get: (session_id: string, signal?: AbortSignal): Promise<Session> =>
    read(client.GET('/api/v1/sessions/{session_id}', { params: { path: { session_id } }, signal })),

  change: (session_id: string, body: SessionChange): Promise<Session> =>
    read(
      client.PATCH('/api/v1/sessions/{session_id}', { params: { path: { session_id } }, body }),
    ),

  /** Long recordings go in several requests. */
  delete: async (session_id: string): Promise<void> => {
    const params = { path: { session_id } };
    for (let isWhole = false; !isWhole; )
      isWhole = (await read(client.DELETE('/api/v1/sessions/{session_id}', { params }))).complete;
  },

  summarise: (session_id: string, signal?: AbortSignal): Promise<Summary> =>
    read(
      client.GET('/api/v1/sessions/{session_id}/summary', {
        params: { path: { session_id } },
        signal,
      }),
    ),

  listNotes: (session_id: string, q?: string, signal?: AbortSignal): Promise<Note[]> =>
    readAll((cursor) =>
      read(
        client.GET('/api/v1/sessions/{session_id}/notes', {
          params: { path: { session_id }, query: { q, cursor, limit: NOTES_PAGE } },
          signal,
        }),
      ),
    ),

  /** Notes of exactly that time. */
  listNotesAt: async (session_id: string, at: number): Promise<Note[]> =>
    (
      await read(
        client.GET('/api/v1/sessions/{session_id}/notes', {
          params: {
            path: { session_id },
            query: { from: new Date(at).toISOString(), to: new Date(at + 1).toISOString() },
          },
        }),
      )
    ).data,

  writeNote: (session_id: string, body: NoteWish): Promise<Note> =>
    read(
      client.POST('/api/v1/sessions/{session_id}/notes', { params: { path: { session_id } }, body }),
    ),

  changeNote: (note: Note, body: NoteChange): Promise<Note> =>
    read(
      client.PUT('/api/v1/sessions/{session_id}/notes/{note_id}', {
        params: { path: { session_id: note.session_id, note_id: note.id } },
        headers: seen(note),
        body,
      }),
    ),

  deleteNote: (note: Note): Promise<Note> =>
    read(
      client.DELETE('/api/v1/sessions/{session_id}/notes/{note_id}', {
        params: { path: { session_id: note.session_id, note_id: note.id } },
        headers: seen(note),
      }),
    ),

  restoreNote: (note: Note): Promise<Note> =>
    read(
      client.POST('/api/v1/sessions/{session_id}/notes/{note_id}/restore', {
        params: { path: { session_id: note.session_id, note_id: note.id } },
      }),
    ),

  listVersions: async (note: Note): Promise<NoteVersion[]> =>
    (
      await read(
        client.GET('/api/v1/sessions/{session_id}/notes/{note_id}/versions', {
          params: { path: { session_id: note.session_id, note_id: note.id } },
        }),
      )
    ).data,

  listChannels: async (session_id: string, signal?: AbortSignal): Promise<string[]> =>
    (
      await read(
        client.GET('/api/v1/sessions/{session_id}/telemetry/channels', {
          params: { path: { session_id } },
          signal,
        }),
      )
    ).channels,

  /** Values as they were sent, newest first; null where there are more than can be drawn. */
  listPoints: async (
    session_id: string,
    channel: string,
    span: Span,
    signal?: AbortSignal,
  ): Promise<Point[] | null> => {
    const { start, end } = during({ start: span.from, end: span.to });
    const query = { channel, from: start, to: end, limit: POINTS_MAX };
    const page = await read(
      client.GET('/api/v1/sessions/{session_id}/telemetry', {
        params: { path: { session_id }, query },
        signal,
      }),
    );
    return page.next_cursor === null ? page.data : null;
  },

  /** The newest value before a time. */
  findPoint: async (session_id: string, channel: string, at: number): Promise<Point | null> => {
    const query = { channel, to: new Date(at + 1).toISOString(), limit: 1 };
    const page = await read(
      client.GET('/api/v1/sessions/{session_id}/telemetry', {
        params: { path: { session_id }, query },
      }),
    );
    return page.data[0] ?? null;
  },

  listMinutes: async (
    stream_id: string,
    channel: string,
    span: Span,
    signal?: AbortSignal,
  ): Promise<ChannelMinute[]> => {
    const wanted = during({ start: span.from, end: span.to });
    const query = { ...wanted, resolution: 'auto' as const, points: DRAWN_MAX };
    const page = await read(
      client.GET('/api/v1/streams/{stream_id}/channels/{channel}/metrics', {
        params: { path: { stream_id, channel }, query },
        signal,
      }),
    );
    return page.data as ChannelMinute[];
  },

  /** null where this server makes no text of speech. */
  listTasks: async (session_id: string, signal?: AbortSignal): Promise<SttTask[] | null> => {
    try {
      return await readAll(async (cursor) => {
        const query = new URLSearchParams({ limit: '1000', ...(cursor ? { cursor } : {}) });
        const answer = await ask(`${pathOf(session_id)}/stt/tasks?${query.toString()}`, {
          signal: signal ?? null,
        });
        return (await answer.json()) as Page<SttTask>;
      });
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
  },

  /** The same piece again is the same task. */
  uploadSpeech: async (session_id: string, wish: SpeechWish): Promise<SttTask> => {
    const body = new FormData();
    body.set('audio', wish.audio, `${wish.chunkId}.wav`);
    body.set('audio_chunk_id', wish.chunkId);
    body.set('started_at', new Date(wish.startedAt).toISOString());
    body.set('make_note', 'true');
    if (wish.speaker) body.set('speaker', wish.speaker);
    const answer = await ask(`${pathOf(session_id)}/stt/upload`, { method: 'POST', body });
    return (await answer.json()) as SttTask;
  },

  exportPath: (session_id: string, format: ExportFormat): string =>
    `${pathOf(session_id)}/notes/export?format=${format}`,

  fetchExport: async (session_id: string, format: ExportFormat): Promise<Blob> =>
    (await ask(sessionApi.exportPath(session_id, format))).blob(),
};
