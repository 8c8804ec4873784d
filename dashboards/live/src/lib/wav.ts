/* Sound as a WAV file of 16 kHz, 16 bits and one channel: what transcribers hear best, and a quarter
   of what a microphone sends. */

export const RATE = 16_000;
const HEAD = 44;

/** Samples at another rate. Each is the mean of what it stands for, so that no tone above what the
    new rate can tell comes back as another one. */
export function resample(samples: Float32Array, from: number, to = RATE): Float32Array {
  if (from === to) return samples;
  const ratio = from / to;
  const made = new Float32Array(Math.floor(samples.length / ratio));
  for (let k = 0; k < made.length; k++) {
    if (ratio < 1) {
      const at = k * ratio;
      const left = Math.floor(at);
      const next = samples[Math.min(left + 1, samples.length - 1)]!;
      made[k] = samples[left]! + (next - samples[left]!) * (at - left);
      continue;
    }
    const begin = Math.floor(k * ratio);
    const end = Math.max(begin + 1, Math.min(samples.length, Math.floor((k + 1) * ratio)));
    let sum = 0;
    for (let n = begin; n < end; n++) sum += samples[n]!;
    made[k] = sum / (end - begin);
  }
  return made;
}

export function writeWav(samples: Float32Array, rate = RATE): ArrayBuffer {
  const file = new ArrayBuffer(HEAD + samples.length * 2);
  const view = new DataView(file);
  const write = (at: number, word: string): void =>
    [...word].forEach((letter, k) => view.setUint8(at + k, letter.charCodeAt(0)));
  write(0, 'RIFF');
  view.setUint32(4, file.byteLength - 8, true);
  write(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, 'data');
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, k) => {
    const kept = Math.max(-1, Math.min(1, sample));
    view.setInt16(HEAD + k * 2, Math.round(kept * 32_767), true);
  });
  return file;
}
