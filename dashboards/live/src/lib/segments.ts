/* Speech cut at its pauses: sound comes in frames, and goes out in pieces that each hold what was
   said between two silences.

     quiet ── loud ──► speaking ── silent for 0.8 s, or too long ──► a piece

   How loud is loud follows the room: the floor sinks with quiet frames at once and rises slowly. */

export const PAUSE_S = 0.8;
/** Less speech than this is a cough or a knock. */
export const SPEECH_LEAST_S = 0.3;
/** Somebody who never pauses is cut here: a transcript that comes late helps nobody. */
export const PIECE_MOST_S = 25;
/** Kept from before the first loud frame: words begin softly. */
const LEAD_S = 0.3;
/** So many times the floor is speech, and never less than this. */
const OVER_FLOOR = 3;
const LOUD_LEAST = 0.008;
const FLOOR_LEAST = 1e-5;
const FLOOR_FIRST_MOST = 0.05;
/** How fast the floor follows a room that gets louder, a second. */
const RISE = 0.25;

export interface Piece {
  samples: Float32Array;
  /** Seconds from the first sample that was ever heard. */
  start: number;
}

/** How loud a frame is: the root of the mean square, from 0 to 1. */
export function loudness(frame: Float32Array): number {
  let sum = 0;
  for (const sample of frame) sum += sample * sample;
  return frame.length ? Math.sqrt(sum / frame.length) : 0;
}

export class Segmenter {
  /** Of the last frame, for a meter. */
  level = 0;
  isSpeaking = false;

  #frames: Float32Array[] = [];
  #held = 0;
  #heard = 0;
  #loud = 0;
  #silent = 0;
  #floor: number | null = null;

  constructor(private readonly rate: number) {}

  /** Take the next frame; return a piece when this frame ends one. */
  push(frame: Float32Array): Piece | null {
    this.level = loudness(frame);
    // Of a room that is loud from the start; who speaks at once pauses soon, and it sinks.
    this.#floor ??= Math.min(this.level, FLOOR_FIRST_MOST);
    const isLoud = this.level > Math.max(LOUD_LEAST, this.#floor * OVER_FLOOR);
    this.#floor = this.#follow(this.#floor, isLoud, frame.length / this.rate);
    this.#frames.push(frame);
    this.#held += frame.length;
    this.#heard += frame.length;
    if (isLoud) {
      this.isSpeaking = true;
      this.#loud += frame.length;
      this.#silent = 0;
    } else {
      this.#silent += frame.length;
    }
    if (!this.isSpeaking) return this.#forget();
    const isOver = this.#silent >= PAUSE_S * this.rate || this.#held >= PIECE_MOST_S * this.rate;
    return isOver ? this.flush() : null;
  }

  /** What is held now as a piece; null where there is too little speech in it. */
  flush(): Piece | null {
    const isSpeech = this.isSpeaking && this.#loud >= SPEECH_LEAST_S * this.rate;
    const piece = isSpeech
      ? { samples: join(this.#frames, this.#held), start: (this.#heard - this.#held) / this.rate }
      : null;
    this.#frames = [];
    this.#held = this.#loud = this.#silent = 0;
    this.isSpeaking = false;
    return piece;
  }

  #follow(floor: number, isLoud: boolean, seconds: number): number {
    if (this.level < floor) return Math.max(this.level, FLOOR_LEAST);
    // What is taken for speech raises the floor as well, or a fan would be speech for ever.
    return floor * (1 + (isLoud ? RISE / 5 : RISE) * seconds);
  }

  /** Nobody speaks: only the last moment is worth keeping. */
  #forget(): null {
    while (this.#frames.length && this.#held - this.#frames[0]!.length >= LEAD_S * this.rate)
      this.#held -= this.#frames.shift()!.length;
    return null;
  }
}

function join(frames: readonly Float32Array[], length: number): Float32Array {
  const whole = new Float32Array(length);
  let at = 0;
  for (const frame of frames) {
    whole.set(frame, at);
    at += frame.length;
  }
  return whole;
}
