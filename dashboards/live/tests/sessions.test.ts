/* Sessions: pieces of speech, sound files, time in a session, values by time, notes not saved yet. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { isSameNote, readOutbox, writeOutbox } from '../src/lib/note-outbox';
import { addPoint, drawnPoints, isInGap, listGaps, pointsOf, valueAt } from '../src/lib/points';
import {
  advance,
  boundsOf,
  firstSpan,
  followSpan,
  placeSpan,
  readPlace,
  scaleSpan,
  writePlace,
} from '../src/lib/replay';
import { PIECE_MOST_S, Segmenter, type Piece } from '../src/lib/segments';
import type { Note, Session } from '../src/lib/session-types';
import { initialOf, isWanted, mergeFound, readFilter, stackRows } from '../src/lib/sessions';
import { resample, writeWav } from '../src/lib/wav';

/** A browser's storage, there before anything asks for it. */
const kept = vi.hoisted(() => {
  const values = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => values.set(key, value),
  });
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
  return values;
});

const RATE = 16_000;
const FRAME = 512;

/** Sound as (seconds, loudness) in turn, cut into frames as a microphone sends them. */
function listen(...parts: [number, number][]): { pieces: Piece[]; rest: Piece | null } {
  const segmenter = new Segmenter(RATE);
  const pieces: Piece[] = [];
  let phase = 0;
  for (const [seconds, loud] of parts)
    for (let n = 0; n < Math.round((seconds * RATE) / FRAME); n++) {
      const frame = new Float32Array(FRAME).map(() => loud * Math.sin(phase++ * 0.4));
      const piece = segmenter.push(frame);
      if (piece) pieces.push(piece);
    }
  return { pieces, rest: segmenter.flush() };
}
const seconds = (piece: Piece | null | undefined): number => (piece?.samples.length ?? 0) / RATE;

describe('speech is cut at its pauses', () => {
  test('0.8 s of silence ends a piece, and a shorter pause does not', () => {
    const { pieces, rest } = listen([1, 0.001], [2, 0.2], [0.5, 0.001], [1, 0.2], [1.5, 0.001]);
    expect(pieces).toHaveLength(1);
    expect(seconds(pieces[0])).toBeGreaterThan(3.5);
    expect(seconds(pieces[0])).toBeLessThan(5);
    expect(rest).toBeNull();
  });
  test('two sentences are two pieces, each told from where it began', () => {
    const { pieces } = listen([1, 0.001], [1, 0.2], [2, 0.001], [1.5, 0.2], [1, 0.001]);
    expect(pieces).toHaveLength(2);
    expect(pieces[0]!.start).toBeGreaterThan(0.6);
    expect(pieces[0]!.start).toBeLessThan(1);
    expect(pieces[1]!.start).toBeGreaterThan(3.6);
    expect(pieces[1]!.start).toBeLessThan(4);
  });
  test('a knock is no speech', () => {
    expect(listen([1, 0.001], [0.1, 0.5], [2, 0.001])).toEqual({ pieces: [], rest: null });
  });
  test('silence is none, however long', () => {
    expect(listen([60, 0.002])).toEqual({ pieces: [], rest: null });
  });
  test('who never pauses is cut, and nothing of it is lost', () => {
    const { pieces, rest } = listen([1, 0.001], [40, 0.2]);
    expect(pieces).toHaveLength(1);
    expect(seconds(pieces[0])).toBeCloseTo(PIECE_MOST_S, 0);
    expect(seconds(pieces[0]) + seconds(rest)).toBeGreaterThan(40);
  });
  test('in a loud room speech is what is louder than the room', () => {
    const { pieces } = listen([5, 0.02], [2, 0.3], [2, 0.02]);
    expect(pieces).toHaveLength(1);
    expect(seconds(pieces[0])).toBeLessThan(4);
  });
  test('who speaks at once is heard', () => {
    const { pieces } = listen([1, 0.2], [0.1, 0.002], [2, 0.2], [1, 0.002]);
    expect(seconds(pieces[0])).toBeGreaterThan(2);
  });
  test('what was said last is there when the recording stops', () => {
    expect(seconds(listen([1, 0.001], [2, 0.2]).rest)).toBeGreaterThan(2);
  });
});

describe('sound is sent as 16 kHz WAV', () => {
  test('a third of the samples of 48 kHz stand for the same time', () => {
    const tone = new Float32Array(48_000).map((_, k) => Math.sin(k * 0.01));
    const made = resample(tone, 48_000);
    expect(made).toHaveLength(16_000);
    expect(made[5000]).toBeCloseTo(Math.sin(15_001 * 0.01), 2);
  });
  test('a tone above what 16 kHz can tell is quiet, not another tone', () => {
    const tone = new Float32Array(48_000).map((_, k) => Math.sin((k * 2 * Math.PI * 16_000) / 48_000));
    expect(Math.max(...resample(tone, 48_000).map(Math.abs))).toBeLessThan(0.01);
  });
  test('slower sound is drawn out', () => {
    expect([...resample(Float32Array.of(0, 1), 8000)]).toEqual([0, 0.5, 1, 1]);
  });
  test('head and samples are as a WAV file has them', () => {
    const view = new DataView(writeWav(Float32Array.of(0, 1, -1, 9)));
    const word = (at: number): string =>
      String.fromCharCode(...[0, 1, 2, 3].map((k) => view.getUint8(at + k)));
    expect([word(0), word(8), word(36)]).toEqual(['RIFF', 'WAVE', 'data']);
    expect([view.getUint16(22, true), view.getUint32(24, true)]).toEqual([1, 16_000]);
    expect([view.getUint16(34, true), view.getUint32(40, true)]).toEqual([16, 8]);
    expect([0, 1, 2, 3].map((k) => view.getInt16(44 + k * 2, true))).toEqual([
      0, 32_767, -32_767, 32_767,
    ]);
  });
});

const NOON = Date.UTC(2026, 0, 26, 12);
const MIN = 60_000;
const ended = { started_at: '2026-01-26T12:00:00Z', ended_at: '2026-01-26T13:00:00Z' };
const hour = { from: NOON, to: NOON + 60 * MIN };

describe('time in a session', () => {
  test('it reaches from its start to its end, or to now', () => {
    expect(boundsOf(ended, NOON + 90 * MIN)).toEqual(hour);
    expect(boundsOf({ ...ended, ended_at: null }, NOON + 5 * MIN).to).toBe(NOON + 5 * MIN);
  });
  test('a note of before belongs to it, and one of after its end', () => {
    const noted = [NOON - MIN, NOON + 70 * MIN];
    expect(boundsOf(ended, 0, noted)).toEqual({ from: NOON - MIN, to: NOON + 70 * MIN });
  });
  test('a note dated ahead does not push the present of an active one away', () => {
    const bounds = boundsOf({ ...ended, ended_at: null }, NOON + 5 * MIN, [NOON + 99 * MIN]);
    expect(bounds.to).toBe(NOON + 5 * MIN);
  });
  test('of a long one the last half hour is shown first, of a short one all', () => {
    expect(firstSpan(hour)).toEqual({ from: NOON + 30 * MIN, to: NOON + 60 * MIN });
    expect(firstSpan({ from: NOON, to: NOON + MIN })).toEqual({ from: NOON, to: NOON + MIN });
  });
  test('what is shown stays within the session', () => {
    const wanted = { from: NOON - 10 * MIN, to: NOON + 10 * MIN };
    expect(placeSpan(wanted, hour)).toEqual({ from: NOON, to: NOON + 20 * MIN });
    expect(placeSpan({ from: 0, to: 9e15 }, hour)).toEqual(hour);
  });
  test('zooming keeps what lies under the cursor where it is', () => {
    const at = NOON + 15 * MIN;
    expect(scaleSpan(hour, 0.5, at, hour)).toEqual({
      from: NOON + 7.5 * MIN,
      to: NOON + 37.5 * MIN,
    });
  });
  test('the window follows the playhead only when it has left', () => {
    const span = { from: NOON, to: NOON + 20 * MIN };
    expect(followSpan(span, NOON + 19 * MIN, hour)).toBe(span);
    expect(followSpan(span, NOON + 21 * MIN, hour)).toEqual({
      from: NOON + 16 * MIN,
      to: NOON + 36 * MIN,
    });
  });
  test('the playhead runs at its speed, and ends at the end', () => {
    expect(advance(NOON, 1000, 60, hour.to)).toBe(NOON + MIN);
    expect(advance(hour.to - 10, 1000, 0.5, hour.to)).toBeNull();
  });
  test('the address brings it back', () => {
    const place = { span: hour, playhead: NOON + 1234, speed: 16 as const };
    const written = Object.entries(writePlace(place)).filter(([, value]) => value !== null);
    expect(readPlace(new URLSearchParams(written as [string, string][]))).toEqual(place);
  });
  test('an address that makes no sense says nothing', () => {
    const query = new URLSearchParams('from=x&to=2026-01-26T12:00:00Z&t=soon&speed=3');
    expect(readPlace(query)).toEqual({ span: null, playhead: null, speed: 1 });
  });
});

describe('values by time', () => {
  const rows = [4, 0, 2, 1, 3, 30, 31].map((k) => ({
    timestamp: new Date(NOON + k * 1000).toISOString(),
    value: k,
  }));
  const points = pointsOf(rows);

  test('the newest at a time is found, and none before the first', () => {
    expect(valueAt(points, NOON + 2500)).toEqual({ at: NOON + 2000, value: 2 });
    expect(valueAt(points, NOON + 4000)?.value).toBe(4);
    expect(valueAt(points, NOON - 1)).toBeNull();
  });
  test('a long pause is a gap: nothing is drawn through it', () => {
    expect(listGaps(points)).toEqual([{ from: NOON + 4000, to: NOON + 30_000 }]);
    expect(isInGap(points, NOON + 20_000)).toBe(true);
    expect(isInGap(points, NOON + 5000)).toBe(false);
    const [times, values] = drawnPoints(points, { from: NOON, to: NOON + 60_000 });
    expect(values).toEqual([0, 1, 2, 3, 4, null, 30, 31]);
    expect(times[5]).toBe(NOON + 17_000);
  });
  test('only what is shown is drawn, and its neighbours', () => {
    const [, values] = drawnPoints(points, { from: NOON + 1500, to: NOON + 2500 });
    expect(values).toEqual([1, 2, 3]);
  });
  test('a value that comes late takes its place, and a repeat none', () => {
    const late = addPoint(points, NOON + 2500, 7);
    expect(late.values).toEqual([0, 1, 2, 7, 3, 4, 30, 31]);
    expect(addPoint(late, NOON + 2500, 7)).toBe(late);
    expect(addPoint(points, NOON + 32_000, 8).values.at(-1)).toBe(8);
  });
});

describe('the list of sessions', () => {
  const session = {
    id: 'sess_0123456789abcdef',
    name: 'Hot start',
    description: 'With the new valve',
    status: 'active',
    stream_ids: ['bench-07'],
  } as Session;

  test('every word is found in what people call it by', () => {
    expect(isWanted(session, { words: 'HOT bench', status: null })).toBe(true);
    expect(isWanted(session, { words: 'hot cold', status: null })).toBe(false);
    expect(isWanted(session, { words: '', status: 'ended' })).toBe(false);
  });
  test('what the server found stands among what is read, once, newest first', () => {
    const at = (id: string, day: number): Session =>
      ({ ...session, id, started_at: `2026-01-0${day}T00:00:00Z` }) as Session;
    const merged = mergeFound([at('c', 4), at('a', 1)], [at('c', 4), at('b', 2)]);
    expect(merged.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  });
  test('a status that is none filters nothing', () => {
    expect(readFilter(new URLSearchParams('status=odd&q=x'))).toEqual({ words: 'x', status: null });
  });
  test('what overlaps stands in rows', () => {
    const items = [
      { from: 0, to: 10 },
      { from: 5, to: 8 },
      { from: 6, to: 20 },
      { from: 10, to: 12 },
    ];
    expect(stackRows(items, 4)).toEqual([0, 1, 2, 0]);
    expect(stackRows(items, 2)).toEqual([0, 1, 1, 0]);
  });
  test('a pin has a first letter, whatever the name begins with', () => {
    expect(initialOf('observation', ' mira')).toBe('M');
    expect(initialOf('observation', '')).toBe('·');
    expect(initialOf('observation', '🎉x')).toBe('🎉');
    expect(initialOf('system', 'telemetra')).toBe('S');
  });
});

describe('notes that are not saved yet', () => {
  beforeEach(() => kept.clear());
  const draft = { content: 'x', type: 'observation' as const, tags: [], at: NOON, without: [] };
  const wish = { timestamp: '2026-01-26T12:00:00Z', content: 'x' } as never;

  test('a reload finds them; one that was on its way waits to be sent again', () => {
    writeOutbox('sess_1', { draft, unsaved: [{ key: 'a', wish, reason: null }] });
    expect(readOutbox('sess_1')).toEqual({ draft, unsaved: [{ key: 'a', wish, reason: '' }] });
    expect(readOutbox('sess_2')).toEqual({ draft: null, unsaved: [] });
  });
  test('what somebody else wrote there is nothing', () => {
    kept.set('telemetra.session.sess_1.unsaved', '{"draft":');
    expect(readOutbox('sess_1')).toEqual({ draft: null, unsaved: [] });
  });
  test('a note whose answer was lost is known again', () => {
    const note = { timestamp: '2026-01-26T12:00:00+00:00', content: 'x', type: 'observation' };
    expect(isSameNote(note as Note, wish)).toBe(true);
    expect(isSameNote({ ...note, content: 'y' } as Note, wish)).toBe(false);
  });
});
