/* Writing notes: the one being written, those on their way, and those that could not be saved.
   A note is shown at once and marked until the server has it; whatever fails is kept and tried
   again, and a reload loses nothing. */
import { sessionApi } from '../api-sessions';
import {
  isSameNote,
  readOutbox,
  writeOutbox,
  type NoteDraft,
  type UnsavedNote,
} from '../note-outbox';
import { toProblem } from '../problem';
import { makeRequestId } from '../request-ids';
import type { NoteWish } from '../session-types';
import type { OpenSession } from './session.svelte';

export class NoteWriter {
  draft = $state.raw<NoteDraft | null>(null);
  unsaved = $state.raw<readonly UnsavedNote[]>([]);

  constructor(private readonly open: OpenSession) {
    const kept = readOutbox(open.id);
    this.draft = kept.draft;
    this.unsaved = kept.unsaved;
  }

  /** Begin a note, or go on with the one that was begun. */
  begin(at: number): NoteDraft {
    const draft = this.draft ?? { content: '', type: 'observation', tags: [], at, without: [] };
    // Of a note in which nothing stands yet the time is that of now.
    this.change(draft.content.trim() ? draft : { ...draft, at });
    return this.draft!;
  }

  change(draft: NoteDraft | null): void {
    this.draft = draft;
    this.#keep();
  }

  async save(wish: NoteWish): Promise<void> {
    const note: UnsavedNote = { key: makeRequestId(), wish, reason: null };
    this.unsaved = [...this.unsaved, note];
    this.draft = null;
    this.#keep();
    await this.#send(note, false);
  }

  async retry(note: UnsavedNote): Promise<void> {
    this.#replace({ ...note, reason: null });
    await this.#send(note, true);
  }

  /** All of them, when the server is back. */
  async retryAll(): Promise<void> {
    for (const note of this.unsaved) if (note.reason !== null) await this.retry(note);
  }

  discard(note: UnsavedNote): void {
    this.unsaved = this.unsaved.filter((one) => one.key !== note.key);
    this.#keep();
  }

  async #send(note: UnsavedNote, isAgain: boolean): Promise<void> {
    const { id } = this.open;
    try {
      // The first time it may have been saved though its answer never came.
      const at = Date.parse(note.wish.timestamp as string);
      const there = isAgain
        ? (await sessionApi.listNotesAt(id, at)).find((one) => isSameNote(one, note.wish))
        : undefined;
      this.open.takeNote(there ?? (await sessionApi.writeNote(id, note.wish)));
      this.discard(note);
    } catch (error) {
      const { title, detail } = toProblem(error);
      this.#replace({ ...note, reason: `${title}. ${detail}` });
    }
  }

  #replace(note: UnsavedNote): void {
    this.unsaved = this.unsaved.map((one) => (one.key === note.key ? note : one));
    this.#keep();
  }

  #keep(): void {
    writeOutbox(this.open.id, { draft: this.draft, unsaved: [...this.unsaved] });
  }
}
