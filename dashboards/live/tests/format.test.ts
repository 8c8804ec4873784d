import { describe, expect, it } from 'vitest';
import * as f from '../src/lib/format';

const NOW = Date.UTC(2026, 0, 26, 20, 32, 41);
const thin = (words: string): string => words.replaceAll('_', f.THIN);

describe('numbers', () => {
  it.each([
    [0, '0'],
    [812, '812'],
    [9.424, '9.42'],
    [18.44, '18.4'],
    [0.62, '0.62'],
    [999.4, '999'],
    [999.6, '1.00k'],
    [1284, '1.28k'],
    [9994, '9.99k'],
    [9996, '10.0k'],
    [48_210, '48.2k'],
    [121_400, '121k'],
    [999_499, '999k'],
    [999_600, '1.00M'],
    [1_200_000, '1.20M'],
    [-1284, '−1.28k'],
    [null, '–'],
    [undefined, '–'],
    [NaN, '–'],
  ])('writes the count %s as %s', (value, words) => expect(f.count(value)).toBe(words));

  it('writes exact counts with separators', () => {
    expect(f.exact(1284)).toBe('1,284');
    expect(f.exact(null)).toBe('–');
  });

  it.each([
    [18_400, '18.4k/s'],
    [9.42, '9.42/s'],
    [1, '1/s'],
    [0.35, '21/min'],
    [0.08, '4.8/min'],
    [0, '0/s'],
    [null, '–'],
  ])('writes the rate %s as %s', (value, words) => expect(f.rate(value)).toBe(words));

  it.each([
    [1.044, '▲ 4.4_%'],
    [0.66, '▼ 34_%'],
    [1.0999, '▲ 10_%'],
    [1.01, '±0_%'],
    [10, '×10'],
    [13.4, '×13'],
    [null, '–'],
    [Infinity, '–'],
  ])('writes the change %s as %s', (ratio, words) => expect(f.change(ratio)).toBe(thin(words)));

  it('signs what has a sign, with a true minus', () => {
    expect([
      f.signed(0.17),
      f.signed(-0.58),
      f.signed(-0.001),
      f.signed(3.14, 1),
      f.signed(null),
    ]).toEqual(['+0.17', '−0.58', '0.00', '+3.1', '–']);
  });

  it.each([
    [61.4, '61.4'],
    [1013.4, '1013.4'],
    [7.84, '7.84'],
    [0.125, '0.125'],
    [-3.2, '−3.20'],
    [250_000, '250k'],
    [null, '–'],
  ])('writes the measured value %s as %s', (value, words) => expect(f.measure(value)).toBe(words));

  it('writes a range with a dash, and with “to” beside signs', () => {
    expect(f.span('106', '195')).toBe('106–195');
    expect(f.span('−0.10', '+0.31')).toBe('−0.10 to +0.31');
    expect(f.span('3', '3')).toBe('3');
  });

  it('gives all labels of an axis one unit and one number of digits', () => {
    expect(f.tickLabels([0, 200, 400])).toEqual(['0', '200', '400']);
    expect(f.tickLabels([46_000, 46_500, 47_000])).toEqual(['46.0k', '46.5k', '47.0k']);
    expect(f.tickLabels([-0.5, 0, 0.5])).toEqual(['−0.5', '0', '0.5']);
    expect(f.tickLabels([0.25, 0.5])).toEqual(['0.25', '0.50']);
    expect(f.tickLabels([])).toEqual([]);
  });

  it('grades scores', () => {
    expect([1.1, 1.5, 2.4, 2.5, 3.9, 4].map(f.severity)).toEqual([
      'low',
      'medium',
      'medium',
      'high',
      'high',
      'critical',
    ]);
  });
});

describe('times', () => {
  it.each([
    [340, '340_ms'],
    [999.6, '1.0_s'],
    [4200, '4.2_s'],
    [34_000, '34_s'],
    [360_000, '6_min'],
    [11_520_000, '3_h 12_min'],
    [10_800_000, '3_h'],
    [172_800_000, '2_d'],
    [183_600_000, '2_d 3_h'],
    [null, '–'],
  ])('writes the duration %s as %s', (ms, words) => expect(f.duration(ms)).toBe(thin(words)));

  it.each([
    [0, 'now'],
    [4999, 'now'],
    [34_000, '34_s'],
    [240_000, '4_min'],
    [14_400_000, '4_h'],
    [2 * 86_400_000, '24 Jan'],
  ])('writes the age of %s ms as %s', (ms, words) =>
    expect(f.age(NOW - ms, NOW)).toBe(thin(words)),
  );

  it('writes clock times in UTC', () => {
    expect([f.clock(NOW), f.clockSeconds(NOW), f.date(NOW)]).toEqual([
      '20:32',
      '20:32:41',
      '26 Jan',
    ]);
    expect(f.clockOn(NOW, NOW)).toBe('20:32');
    expect(f.clockOn(NOW - 86_400_000, NOW)).toBe('25 Jan 20:32');
  });
});

describe('names', () => {
  it.each([
    ['disk.used:path=~2Fboot', 'disk.used:path=/boot'],
    ['~C2~B0C 100%', '°C 100%'],
    ['m~~355C5506B3BA6C39', 'm…'],
    ['plain~name', 'plain~name'],
    ['half~C2', 'half~C2'],
  ])('reads %s', (name, plain) => {
    expect(f.plainName(name)).toBe(plain);
  });
});
