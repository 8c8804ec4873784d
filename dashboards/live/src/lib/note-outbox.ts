/* What somebody wrote and the server does not have yet: the note being written, and those whose
   saving failed. It survives a reload; where storage is forbidden it lasts as long as the page. */
import { recall, store } from './settings.svelte';
import type { Note, NoteType, NoteWish } from './session-types';

export interface NoteDraft {
  content: string;
  type: NoteType;
  tags: string[];
  /** When it was begun: what it tells of. */
  at: number;
  /** Channels that are left out of its snapshot. */
  without: string[];
}

export interface UnsavedNote {
  key: string;
  wish: NoteWish;
  /** Why it is not saved; null while it is on its way. */
  reason: string | null;
}

interface Kept {
  draft: NoteDraft | null;
  unsaved: UnsavedNote[];
}

const keyOf = (session: string): string => `telemetra.session.${session}.unsaved`;

export function readOutbox(session: string): Kept {
  try {
    const kept = JSON.parse(recall(keyOf(session)) ?? 'null') as Partial<Kept> | null;
    const unsaved = (kept?.unsaved ?? []).map((note) => ({ ...note, reason: note.reason ?? '' }));
    return { draft: kept?.draft ?? null, unsaved };
  } catch {
    return { draft: null, unsaved: [] };
  }
}

export const writeOutbox = (session: string, kept: Kept): void =>
  store(keyOf(session), JSON.stringify(kept));

/** Whether a note is the one that was wished for: its answer was lost, not the note. */
export const isSameNote = (note: Note, wish: NoteWish): boolean =>
  note.content === wish.content &&
  note.type === (wish.type ?? 'observation') &&
  Date.parse(note.timestamp) === Date.parse(wish.timestamp as string);
