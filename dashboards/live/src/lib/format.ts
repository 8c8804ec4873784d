/* Numbers and times as the page writes them: three significant digits, true minus, thin spaces,
   UTC. Nothing here reads the clock; `now` is always handed in. */

export type Maybe = number | null | undefined;
export type Severity = 'low' | 'medium' | 'high' | 'critical';

export const MISSING = '–';
/** Narrow no-break space, between a figure and its unit. */
export const THIN = '\u202f';
const MINUS = '−';
export const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A change smaller than this is within the wobble of any counted minute. */
const CHANGE_MIN = 0.02;

const isMissing = (value: Maybe): value is null | undefined =>
  value === null || value === undefined || Number.isNaN(value);

/** A plain figure with at most three significant digits, without trailing zeros below one. */
function plain(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return String(Number(value.toFixed(3)));
}

const signMinus = (digits: string): string => digits.replace('-', MINUS);

/** 812, 1.28k, 48.2k, 1.20M. */
export function count(value: Maybe): string {
  if (isMissing(value)) return MISSING;
  const size = Math.abs(value);
  if (size < 999.5) return signMinus(plain(value));
  const units = ['k', 'M', 'G', 'T'];
  let scaled = value / 1000;
  let unit = 0;
  while (Math.abs(scaled) >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  const step = Math.abs(scaled);
  const digits = step >= 99.95 ? 0 : step >= 9.995 ? 1 : 2;
  return signMinus(scaled.toFixed(digits)) + units[unit];
}

/** 1,284: where the exact count matters. */
export const exact = (value: Maybe): string =>
  isMissing(value) ? MISSING : signMinus(Math.round(value).toLocaleString('en-GB'));

/** Events a second, or a minute below one a second; the unit apart, for places that style it. */
export function rateParts(value: Maybe): { figure: string; unit: string } {
  if (isMissing(value)) return { figure: MISSING, unit: '' };
  if (value >= 1 || value === 0) return { figure: count(value), unit: '/s' };
  const perMinute = value * 60;
  return { figure: perMinute.toFixed(perMinute >= 9.95 ? 0 : 1), unit: '/min' };
}

export function rate(value: Maybe): string {
  const { figure, unit } = rateParts(value);
  return figure + unit;
}

/** ▲ 4.4 %, ▼ 34 %, ×10; `ratio` is now divided by before. */
export function change(ratio: Maybe): string {
  if (isMissing(ratio) || !Number.isFinite(ratio)) return MISSING;
  const delta = ratio - 1;
  if (Math.abs(delta) < CHANGE_MIN) return `±0${THIN}%`;
  if (ratio >= 10) return `×${count(Math.round(ratio))}`;
  const percent = Math.abs(delta) * 100;
  const digits = percent >= 9.95 ? 0 : 1;
  return `${delta > 0 ? '▲' : '▼'} ${percent.toFixed(digits)}${THIN}%`;
}

/** +0.17, −0.58. */
export function signed(value: Maybe, digits = 2): string {
  if (isMissing(value)) return MISSING;
  const shown = Math.abs(value).toFixed(digits);
  if (Number(shown) === 0) return shown;
  return (value > 0 ? '+' : MINUS) + shown;
}

/** 41 %, 0.5 %; `share` is of one. */
export function percent(share: Maybe): string {
  if (isMissing(share)) return MISSING;
  const value = share * 100;
  return `${Number(value.toFixed(Math.abs(value) >= 9.95 ? 0 : 1))}${THIN}%`;
}

/** At most so many signs, the last of them an ellipsis where some are left out. */
export function clip(words: string, length: number): string {
  const kept = [...words.slice(0, 2 * length)].slice(0, length);
  return kept.join('').length < words.length ? `${kept.slice(0, -1).join('')}…` : words;
}

/** A measured value: 61.4, 1013.4, 7.84, 0.125. */
export function measure(value: Maybe): string {
  if (isMissing(value)) return MISSING;
  const size = Math.abs(value);
  if (size >= 1e5) return count(value);
  if (size >= 10) return signMinus(value.toFixed(1));
  return signMinus(size >= 1 ? value.toFixed(2) : String(Number(value.toFixed(3))));
}

/** 106–195, or “0.04 to 0.31” where a sign could stand next to the dash. */
export function span(low: string, high: string): string {
  if (low === high) return low;
  return /^[−+]/.test(low + high) || high.startsWith(MINUS)
    ? `${low} to ${high}`
    : `${low}–${high}`;
}

/** 340 ms, 4.2 s, 6 min, 3 h 12 min, 2 d. */
export function duration(ms: Maybe): string {
  if (isMissing(ms)) return MISSING;
  if (ms < 999.5) return `${Math.round(ms)}${THIN}ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)}${THIN}s`;
  if (ms < MINUTE) return `${Math.floor(ms / 1000)}${THIN}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}${THIN}min`;
  if (ms < DAY) return pair(ms, HOUR, 'h', MINUTE, 'min');
  return pair(ms, DAY, 'd', HOUR, 'h');
}

function pair(ms: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % big) / small);
  const head = `${Math.floor(ms / big)}${THIN}${bigUnit}`;
  return rest ? `${head} ${rest}${THIN}${smallUnit}` : head;
}

/** `now` under 5 s, one unit under a day, then the date. */
export function age(at: Maybe, now: number): string {
  if (isMissing(at)) return MISSING;
  const ms = now - at;
  if (ms < 5000) return 'now';
  if (ms < MINUTE) return `${Math.floor(ms / 1000)}${THIN}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}${THIN}min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}${THIN}h`;
  return date(at);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 20:32, UTC. */
export const clock = (at: number): string => new Date(at).toISOString().slice(11, 16);
/** 20:32:41, UTC. */
export const clockSeconds = (at: number): string => new Date(at).toISOString().slice(11, 19);
/** 24 Jan, UTC. */
export function date(at: number): string {
  const day = new Date(at);
  return `${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]}`;
}

/** 20:32 on the same day as `now`, else “24 Jan 20:32”. */
export const clockOn = (at: number, now: number): string =>
  date(at) === date(now) ? clock(at) : `${date(at)} ${clock(at)}`;

/** A name as its sender knows it: the doors write what may not stand in a name as ~2F, byte by
    byte, and end one that they cut with ~~ and a hash. */
export function plainName(name: string): string {
  const [kept = name, hash] = name.split('~~');
  try {
    const escaped = kept.replace(/%/g, '%25').replace(/~([0-9A-F]{2})/g, '%$1');
    return decodeURIComponent(escaped) + (hash === undefined ? '' : '…');
  } catch {
    return name;
  }
}

/** The labels of one axis: all share one unit and one number of digits. */
export function tickLabels(ticks: readonly number[]): string[] {
  const top = Math.max(0, ...ticks.map(Math.abs));
  const step = ticks.length > 1 ? Math.abs(ticks[1]! - ticks[0]!) : top || 1;
  const [unit, suffix] = top >= 1e6 ? [1e6, 'M'] : top >= 1e4 ? [1e3, 'k'] : [1, ''];
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step / unit) - 1e-9)));
  const whole = Math.abs((step / unit) * 10 ** digits - Math.round((step / unit) * 10 ** digits));
  const places = digits + (whole > 1e-6 ? 1 : 0);
  return ticks.map((tick) =>
    tick === 0 ? '0' : signMinus((tick / unit).toFixed(places)) + suffix,
  );
}

/** Severity of a score; scores at or below 1.0 are ordinary. */
export function severity(score: number): Severity {
  if (score >= 4) return 'critical';
  if (score >= 2.5) return 'high';
  return score >= 1.5 ? 'medium' : 'low';
}
