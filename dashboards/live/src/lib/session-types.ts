/* What the API sends of sessions, by the names of the page. */
import type { components } from '../../generated/api';
import type { Moment, Reading } from './types';

type Schemas = components['schemas'];

export type Session = Schemas['SessionOut'];
export type SessionStatus = Session['status'];
export type SessionWish = Schemas['SessionIn'];
export type SessionChange = Schemas['SessionPatch'];
export type Note = Schemas['NoteOut'];
export type NoteType = Note['type'];
export type NoteWish = Schemas['NoteIn'];
export type NoteChange = Schemas['NotePatch'];
export type NoteVersion = Schemas['NoteVersionOut'];
export type Summary = Schemas['SummaryOut'];
export type Point = Schemas['PointOut'];
export type ExportFormat = 'markdown' | 'json' | 'html';

/** A piece of speech on its way to text. */
export interface SttTask {
  id: string;
  session_id: string;
  audio_chunk_id: string;
  duration_seconds: number | null;
  status: 'pending' | 'processing' | 'done' | 'failed';
  progress: number;
  transcript: string | null;
  error: string | null;
  started_at: string | null;
  speaker: string | null;
  note_id: string | null;
  created_at: string;
}

interface Told<E extends string, D> {
  event: E;
  session_id: string;
  data: D;
}

/** What the socket of a session says. */
export type SessionMessage =
  | Told<'connected' | 'ping' | 'pong', { timestamp: string }>
  | Told<'note.created' | 'note.updated' | 'note.deleted', Note>
  | Told<'stt.task.created' | 'stt.task.updated' | 'stt.task.done', SttTask>
  | Told<'telemetry.point', Reading & { stream_id: string }>
  | Told<'moment.detected', Moment>
  | Told<'session.updated' | 'session.ended', Session>
  | Told<'session.deleted', { id: string }>
  | Told<'error.occurred', { detail: string; lost?: number }>;
