/* A chart as a picture: the theme on screen, with its title, its range and its key drawn in, so that
   it needs no words beside it. */
import { colour, type TokenName } from './palette';

export interface PictureKey {
  label: string;
  colour: TokenName;
  kind: 'line' | 'dot' | 'box';
}

export interface Picture {
  title: string;
  /** Range, zone and resolution. */
  subtitle: string;
  keys: readonly PictureKey[];
}

const PAD = 12;
const HEAD = 46;

export function drawPicture(chart: HTMLCanvasElement, picture: Picture): Promise<Blob> {
  const ratio = devicePixelRatio;
  const canvas = document.createElement('canvas');
  canvas.width = chart.width + 2 * PAD * ratio;
  canvas.height = chart.height + (HEAD + PAD) * ratio;
  const pen = canvas.getContext('2d');
  if (!pen) return Promise.reject(new Error('no canvas'));
  pen.fillStyle = colour('panel');
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(chart, PAD * ratio, HEAD * ratio);
  pen.scale(ratio, ratio);
  pen.textBaseline = 'middle';
  write(pen, picture.title, PAD, 16, `600 13px ${colour('font')}`, 'text');
  write(pen, picture.subtitle, PAD, 34, `11px ${colour('font')}`, 'text-3');
  drawKeys(pen, picture.keys, canvas.width / ratio - PAD);
  return new Promise((take, fail) =>
    canvas.toBlob((blob) => (blob ? take(blob) : fail(new Error('no picture'))), 'image/png'),
  );
}

function write(
  pen: CanvasRenderingContext2D,
  words: string,
  x: number,
  y: number,
  font: string,
  ink: TokenName,
): void {
  pen.font = font;
  pen.fillStyle = colour(ink);
  pen.fillText(words, x, y);
}

/** From the right, the last one first. */
function drawKeys(
  pen: CanvasRenderingContext2D,
  keys: readonly PictureKey[],
  right: number,
): void {
  const font = `11px ${colour('font')}`;
  let x = right;
  for (const key of [...keys].reverse()) {
    pen.font = font;
    x -= pen.measureText(key.label).width;
    write(pen, key.label, x, 16, font, 'text-2');
    x -= 18;
    pen.fillStyle = pen.strokeStyle = colour(key.colour);
    pen.lineWidth = 2;
    pen.setLineDash(key.kind === 'dot' ? [2, 2] : []);
    if (key.kind === 'box') pen.fillRect(x + 2, 12, 9, 9);
    else {
      pen.beginPath();
      pen.moveTo(x, 16);
      pen.lineTo(x + 12, 16);
      pen.stroke();
    }
    x -= 14;
  }
}
