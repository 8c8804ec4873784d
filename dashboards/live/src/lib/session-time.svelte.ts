/* Time on the page of one session: what is shown, where the playhead stands, and whether it runs.
   The address holds all of it; a gesture shows drafts, of which only the last is written there. */
import { CursorGroup, type Travel } from '../charts/cursor.svelte';
import type { Span } from './minutes';
import {
  advance,
  clampTime,
  firstSpan,
  followSpan,
  placeSpan,
  readPlace,
  scaleSpan,
  SPEEDS,
  STEP_MS,
  writePlace,
  type Place,
  type Speed,
} from './replay';
import { router } from './router.svelte';

/** While it runs, the address follows at this pace. */
const WRITE_EVERY_MS = 1000;
/** A frame that came late, of a tab that was hidden, is no jump. */
const FRAME_MOST_MS = 250;

export class SessionTime implements Travel {
  isPlaying = $state(false);
  #place: Place = $state.raw(readPlace(router.query));
  #frame = 0;
  #drawnAt = 0;
  #writtenAt = 0;

  constructor(
    readonly bounds: () => Span,
    /** Whether the session goes on, so that there is a now to follow. */
    readonly isActive: () => boolean,
  ) {}

  readonly span: Span = $derived.by(() => {
    const bounds = this.bounds();
    return this.#place.span ? placeSpan(this.#place.span, bounds) : firstSpan(bounds);
  });
  /** null: at the end, which of an active session is now. */
  readonly playhead: number | null = $derived.by(() =>
    this.#place.playhead === null ? null : clampTime(this.#place.playhead, this.bounds()),
  );
  /** What figures tell of. */
  readonly at: number = $derived.by(() => this.playhead ?? this.bounds().to);

  get speed(): Speed {
    return this.#place.speed;
  }

  get isLive(): boolean {
    return this.playhead === null && this.isActive();
  }

  setSpeed(speed: Speed): void {
    this.#set({ speed });
  }

  faster(by: 1 | -1): void {
    const next = SPEEDS[SPEEDS.indexOf(this.speed) + by];
    if (next) this.setSpeed(next);
  }

  /** Stand at a time; what is shown comes along. */
  seek(time: number): void {
    const playhead = clampTime(time, this.bounds());
    this.#drawnAt = performance.now();
    this.#set({ playhead, span: this.#follow(playhead) });
  }

  step(by: 1 | -1): void {
    this.seek(this.at + by * STEP_MS);
  }

  toggle(): void {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  play(): void {
    const { from, to } = this.bounds();
    // From the end there is nothing to play: it begins anew.
    if (this.playhead === null || this.playhead >= to) this.seek(from);
    this.isPlaying = true;
    this.#drawnAt = performance.now();
    this.#frame = requestAnimationFrame(this.#run);
  }

  pause(): void {
    cancelAnimationFrame(this.#frame);
    this.isPlaying = false;
    this.#write();
  }

  /** To the end; of an active session, to what happens now. */
  follow(): void {
    this.pause();
    this.#set({ playhead: null, span: null });
  }

  show(span: Span): void {
    this.#set({ span: placeSpan(span, this.bounds()) });
  }

  zoom(a: number, b: number): void {
    this.show({ from: Math.min(a, b), to: Math.max(a, b) });
  }

  shift(by: -1 | 1): void {
    const half = ((this.span.to - this.span.from) / 2) * by;
    this.show({ from: this.span.from + half, to: this.span.to + half });
  }

  scale(factor: number, at: number | null): void {
    this.show(scaleSpan(this.span, factor, at ?? this.playhead, this.bounds()));
  }

  whole(): void {
    this.show(this.bounds());
  }

  draft(span: Span | null): void {
    if (span) this.#place = { ...this.#place, span };
  }

  commit(): void {
    this.#write();
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
  }

  #run = (): void => {
    const now = performance.now();
    const passed = Math.min(FRAME_MOST_MS, now - this.#drawnAt);
    this.#drawnAt = now;
    const next = advance(this.at, passed, this.speed, this.bounds().to);
    if (next === null) return this.follow();
    this.#place = { ...this.#place, playhead: next, span: this.#follow(next) };
    if (now - this.#writtenAt > WRITE_EVERY_MS) this.#write();
    this.#frame = requestAnimationFrame(this.#run);
  };

  #follow(playhead: number): Span {
    return followSpan(this.span, playhead, this.bounds());
  }

  #set(change: Partial<Place>): void {
    this.#place = { ...this.#place, ...change };
    this.#write();
  }

  #write(): void {
    this.#writtenAt = performance.now();
    router.set(writePlace(this.#place));
  }
}

/** The cursor of a session's charts: a click and the arrow keys move the playhead. */
export class PlayCursor extends CursorGroup {
  constructor(private readonly moment: SessionTime) {
    super(
      () => moment.span,
      (a, b) => moment.zoom(a, b),
      moment,
    );
    this.step = 1000;
  }

  override toggleHold(time: number): void {
    this.moment.seek(time);
  }

  override move(points: number): void {
    this.moment.seek(this.moment.at + points * this.step);
  }
}
