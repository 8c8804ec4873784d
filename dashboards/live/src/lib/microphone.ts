/* The microphone as frames of samples. */

/** Frames of the browser are some milliseconds; so many samples are a judgement. */
const FRAME = 1024;

export interface Microphone {
  rate: number;
  stop(): void;
}

/** Why there is no sound: what somebody can do about it differs. */
export type MicrophoneTrouble = 'denied' | 'none' | 'busy' | 'insecure';

export class MicrophoneError extends Error {
  constructor(readonly trouble: MicrophoneTrouble) {
    super(trouble);
  }
}

const TROUBLES: Record<string, MicrophoneTrouble> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'none',
  OverconstrainedError: 'none',
};

export async function openMicrophone(hear: (frame: Float32Array) => void): Promise<Microphone> {
  // Browsers hide microphones from pages that anybody on the way could have changed.
  if (!('mediaDevices' in navigator)) throw new MicrophoneError('insecure');
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, noiseSuppression: true, echoCancellation: false },
    });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    throw new MicrophoneError(TROUBLES[name] ?? 'busy');
  }
  const context = new AudioContext();
  const source = context.createMediaStreamSource(stream);
  const stop = (): void => {
    stream.getTracks().forEach((track) => track.stop());
    void context.close();
  };
  try {
    await context.audioWorklet.addModule(new URL('./microphone-worklet.js', import.meta.url));
  } catch (error) {
    stop();
    throw error;
  }
  const node = new AudioWorkletNode(context, 'hear', { numberOfOutputs: 0 });
  let frame = new Float32Array(FRAME);
  let filled = 0;
  node.port.onmessage = ({ data }: MessageEvent<Float32Array>) => {
    for (const sample of data) {
      frame[filled++] = sample;
      if (filled < FRAME) continue;
      hear(frame);
      frame = new Float32Array(FRAME);
      filled = 0;
    }
  };
  source.connect(node);
  await context.resume();
  return { rate: context.sampleRate, stop };
}
