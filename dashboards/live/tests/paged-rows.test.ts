import { describe, expect, it } from 'vitest';
import { mergeRows } from '../src/lib/paged-rows';

const row = (id: string, created_at: string, word = '') => ({ id, created_at, word });
const old = row('old', '2026-01-26T09:00:00Z');
const one = row('one', '2026-01-26T10:00:00.000100Z');
const two = row('two', '2026-01-26T10:00:00.000200Z');
const merge = (known: (typeof old)[], read: (typeof old)[]) => mergeRows(known, read, ({ id }) => id);

describe('rows of a list', () => {
  it('stand once, as they were last read, the newest first', () => {
    const again = { ...one, word: 'changed' };
    expect(merge([old, one], [again])).toEqual([again, old]);
    expect(merge([one, old], [two])).toEqual([two, one, old]);
  });

  it('keep the order of the server where they are of one time', () => {
    const twin = { ...one, id: 'twin' };
    expect(merge([], [twin, one])).toEqual([twin, one]);
    expect(merge([one, twin], [twin, one])).toEqual([twin, one]);
  });

  it('are chosen between what is known and what is read', () => {
    const read = { ...one, word: 'older' };
    expect(mergeRows([one], [read], ({ id }) => id, (known) => known)).toEqual([one]);
  });
});
