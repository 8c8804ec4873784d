/* One session on screen: itself, its notes, its pieces of speech, its moments and channels, as the
   server keeps them, and what its socket tells.

     load -> shown -> events -> shown        lost -> read again -> shown */
import { api } from '../api';
import { sessionApi } from '../api-sessions';
import type { Span } from '../minutes';
import { isNewerMoment } from '../moment';
import { isAbort, toProblem, type Problem } from '../problem';
import { SessionLink, type SessionLinkState } from '../session-link';
import type { Note, Session, SessionChange, SessionMessage, SttTask } from '../session-types';
import { socketAddress } from '../socket-address';
import type { Moment } from '../types';
import { SessionSeries } from './session-series.svelte';

/** Channels that have a lane; a session with more shows the first by name. */
export const LANES_MAX = 12;

const byTime = (a: Note, b: Note): number => Date.parse(a.timestamp) - Date.parse(b.timestamp);

export class OpenSession {
  session = $state.raw<Session | null>(null);
  notes = $state.raw<readonly Note[]>([]);
  /** null: this server makes no text of speech. */
  tasks = $state.raw<readonly SttTask[] | null>(null);
  moments = $state.raw<readonly Moment[]>([]);
  channels = $state.raw<readonly SessionSeries[]>([]);
  /** Of how many channels. */
  channelCount = $state(0);
  /** What the streams' people wrote down of them; limits are in there. */
  limits = $state.raw<ReadonlyMap<string, unknown>>(new Map());
  link = $state<SessionLinkState>('connecting');
  isLoaded = $state(false);
  isGone = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** Grows when everything was read anew. */
  round = $state(0);

  #abort = new AbortController();
  #socket: SessionLink;
  #names = new Set<string>();

  constructor(readonly id: string) {
    this.#socket = new SessionLink({
      address: () => socketAddress(`/ws/sessions/${encodeURIComponent(id)}`),
      receive: (message) => this.#receive(message),
      resync: () => this.load(),
      state: (state) => this.#setLink(state),
      gone: () => (this.isGone = true),
    });
  }

  /** Follow it: it is read once events begin to come, so that none falls between. */
  start(): void {
    this.#socket.start();
  }

  async load(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const session = await sessionApi.get(this.id, signal);
      const [notes, tasks, names] = await Promise.all([
        sessionApi.listNotes(this.id, undefined, signal),
        sessionApi.listTasks(this.id, signal),
        sessionApi.listChannels(this.id, signal),
      ]);
      const moments = await this.#listMoments(session, notes[0], signal);
      this.session = session;
      void this.#readLimits(session);
      this.notes = notes.sort(byTime);
      this.tasks = tasks;
      this.moments = moments;
      for (const series of this.channels) series.forget();
      names.forEach((name) => this.#open(name));
      this.problem = null;
      this.isLoaded = true;
      this.round += 1;
    } catch (error) {
      if (isAbort(error)) return;
      this.problem = toProblem(error);
      throw error;
    }
  }

  stop(): void {
    this.#abort.abort();
    this.#socket.stop();
    for (const series of this.channels) series.stop();
  }

  async change(change: SessionChange): Promise<void> {
    this.session = await sessionApi.change(this.id, change);
  }

  /** A note as it is now, whoever told of it; an older word about it changes nothing. */
  takeNote(note: Note): void {
    const had = this.notes.find((one) => one.id === note.id);
    if (had && had.version > note.version) return;
    const others = this.notes.filter((one) => one.id !== note.id);
    this.notes = note.deleted_at ? others : [...others, note].sort(byTime);
  }

  takeTask(task: SttTask): void {
    const tasks = this.tasks ?? [];
    const had = tasks.find((one) => one.id === task.id);
    if (had && (had.status === 'done' || had.status === 'failed')) return;
    this.tasks = [task, ...tasks.filter((one) => one.id !== task.id)];
  }

  #setLink(state: SessionLinkState): void {
    this.link = state;
    // Without a socket it is shown as it is now.
    if (state === 'lost' && !this.isLoaded) this.load().catch(() => undefined);
  }

  #receive(message: SessionMessage): void {
    switch (message.event) {
      case 'note.created':
      case 'note.updated':
      case 'note.deleted':
        return this.takeNote(message.data);
      case 'stt.task.created':
      case 'stt.task.updated':
      case 'stt.task.done':
        return this.takeTask(message.data);
      case 'telemetry.point':
        return this.#takePoint(message.data);
      case 'moment.detected':
        return this.#takeMoment(message.data);
      case 'session.updated':
      case 'session.ended':
        this.session = message.data;
        return;
      case 'session.deleted':
        this.isGone = true;
    }
  }

  #takePoint(point: Extract<SessionMessage, { event: 'telemetry.point' }>['data']): void {
    this.#open(point.channel);
    this.channels.find((series) => series.name === point.channel)?.take(point);
  }

  #takeMoment(moment: Moment): void {
    const had = this.moments.find((one) => one.moment_id === moment.moment_id);
    if (had && !isNewerMoment(moment, had)) return;
    this.moments = [...this.moments.filter((one) => one !== had), moment];
  }

  #open(name: string): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.channelCount = this.#names.size;
    if (this.channels.length < LANES_MAX)
      this.channels = [...this.channels, new SessionSeries(this.id, name)];
  }

  /** Without them the charts only have no limits. */
  async #readLimits(session: Session): Promise<void> {
    const told = await Promise.allSettled(
      [session.id, ...session.stream_ids].map((id) => api.getStream(id, this.#abort.signal)),
    );
    this.limits = new Map(
      told.flatMap((one) =>
        one.status === 'fulfilled' ? [[one.value.id, one.value.metadata] as const] : [],
      ),
    );
  }

  /** Those that began while it went on, or since its first note. */
  async #listMoments(
    session: Session,
    first: Note | undefined,
    signal: AbortSignal,
  ): Promise<Moment[]> {
    const begin = Date.parse(session.started_at);
    const span: Span = {
      from: Math.min(begin, first ? Date.parse(first.timestamp) : begin),
      to: session.ended_at ? Date.parse(session.ended_at) : Date.now() + 3_600_000,
    };
    const streams = [session.id, ...session.stream_ids];
    const lists = await Promise.all(
      streams.map((stream) =>
        // A stream that is not there yet has no moments.
        api
          .listMoments(stream, { start: span.from, end: span.to }, signal)
          .catch((error: unknown) => {
            if (toProblem(error).status === 404) return [];
            throw error;
          }),
      ),
    );
    return lists.flat();
  }
}
