/* Sizes as the page writes them: three significant digits, decimal units, thin space. */
import { MISSING, THIN, type Maybe } from './format';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

export function bytes(value: Maybe): string {
  if (value == null || Number.isNaN(value)) return MISSING;
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < UNITS.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${scaled.toFixed(digits)}${THIN}${UNITS[unit]}`;
}
