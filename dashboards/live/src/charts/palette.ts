/* Colours for canvases: the tokens of the theme, read once per change of theme, and what is made of
   them (hatches), made once too. */
import { settings } from '../lib/settings.svelte';

const NAMES = [
  'panel',
  'grid',
  'line-strong',
  'text',
  'text-2',
  'text-3',
  'font',
  'cursor',
  'band',
  'band-line',
  'series-1',
  'series-2',
  'series-3',
  'series-4',
  'series-5',
  'series-6',
  'series-7',
  'series-8',
  'sev-low',
  'sev-medium',
  'sev-high',
  'sev-critical',
] as const;

export type TokenName = (typeof NAMES)[number];

let tokens: Record<TokenName, string> | null = null;
let readAt = -1;
const hatches = new Map<string, CanvasPattern>();

export function colour(name: TokenName): string {
  if (!tokens || readAt !== settings.colours) {
    readAt = settings.colours;
    hatches.clear();
    const style = getComputedStyle(document.documentElement);
    tokens = Object.fromEntries(
      NAMES.map((one) => [one, style.getPropertyValue(`--${one}`).trim()]),
    ) as Record<TokenName, string>;
  }
  return tokens[name];
}

/** A token, thinned; tokens are hex, of which a build may have made three digits where those say it. */
export function fade(name: TokenName, alpha: number): string {
  const full = colour(name).replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3');
  const hex = Math.round(alpha * 255)
    .toString(16)
    .padStart(2, '0');
  return full + hex;
}

/** Diagonal lines `gap` CSS pixels apart, as a fill. */
export function hatch(
  context: CanvasRenderingContext2D,
  name: TokenName,
  alpha: number,
  gap: number,
  ratio: number,
): CanvasPattern | string {
  const key = `${name} ${alpha} ${gap} ${ratio}`;
  const made = hatches.get(key);
  if (made) return made;
  const size = Math.round(gap * ratio);
  const tile = document.createElement('canvas');
  tile.width = tile.height = size;
  const pen = tile.getContext('2d');
  if (!pen) return 'transparent';
  pen.strokeStyle = fade(name, alpha);
  pen.lineWidth = Math.max(1, ratio * 0.9);
  // The line and its two neighbours, so that it meets itself across tile borders.
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
  }
  pen.stroke();
  const pattern = context.createPattern(tile, 'repeat');
  if (!pattern) return 'transparent';
  hatches.set(key, pattern);
  return pattern;
}
