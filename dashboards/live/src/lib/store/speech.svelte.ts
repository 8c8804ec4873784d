/* Recording speech: microphone -> pieces between pauses -> uploads -> tasks. A piece that could not
   be uploaded is kept and sent again; the session's socket tells what becomes of the rest. */
import { sessionApi } from '../api-sessions';
import { MicrophoneError, openMicrophone, type Microphone } from '../microphone';
import { toProblem } from '../problem';
import { makeRequestId } from '../request-ids';
import { Segmenter, type Piece } from '../segments';
import { recall, store } from '../settings.svelte';
import { sessionText } from '../text-sessions';
import { resample, writeWav } from '../wav';
import type { OpenSession } from './session.svelte';

const SPEAKER_KEY = 'telemetra.speaker';
/** Pieces that wait: at half a minute each, a quarter of an hour without a server. */
const WAITING_MAX = 30;
const METER_EVERY_MS = 80;

export interface Upload {
  chunkId: string;
  startedAt: number;
  seconds: number;
  audio: Blob;
  reason: string | null;
}

export class Speech {
  isRecording = $state(false);
  isSpeaking = $state(false);
  /** How loud it is, from 0 to 1. */
  level = $state(0);
  failure = $state('');
  uploads = $state.raw<readonly Upload[]>([]);
  speaker = $state(recall(SPEAKER_KEY) ?? '');

  #microphone: Microphone | null = null;
  #segmenter: Segmenter | null = null;
  #startedAt = 0;
  #meteredAt = 0;

  constructor(
    private readonly open: OpenSession,
    private readonly now: () => number,
  ) {}

  async toggle(): Promise<void> {
    if (this.isRecording) this.stop();
    else await this.start();
  }

  async start(): Promise<void> {
    this.failure = '';
    this.isRecording = true;
    store(SPEAKER_KEY, this.speaker);
    try {
      const microphone = await openMicrophone((frame) => this.#hear(frame));
      if (!this.isRecording) return microphone.stop();
      this.#startedAt = this.now();
      this.#segmenter = new Segmenter(microphone.rate);
      this.#microphone = microphone;
    } catch (error) {
      this.isRecording = false;
      this.failure =
        error instanceof MicrophoneError
          ? sessionText.speech.troubles[error.trouble]
          : String(error);
    }
  }

  /** What was said last is sent, too. */
  stop(): void {
    const piece = this.#segmenter?.flush();
    if (piece) this.#send(piece);
    this.#microphone?.stop();
    this.#microphone = this.#segmenter = null;
    this.isRecording = this.isSpeaking = false;
    this.level = 0;
  }

  async retry(upload: Upload): Promise<void> {
    this.#replace({ ...upload, reason: null });
    await this.#upload(upload);
  }

  discard(upload: Upload): void {
    this.uploads = this.uploads.filter((one) => one.chunkId !== upload.chunkId);
  }

  #hear(frame: Float32Array): void {
    const segmenter = this.#segmenter;
    if (!segmenter) return;
    const piece = segmenter.push(frame);
    if (piece) this.#send(piece);
    if (performance.now() - this.#meteredAt < METER_EVERY_MS) return;
    this.#meteredAt = performance.now();
    this.level = Math.min(1, segmenter.level * 6);
    this.isSpeaking = segmenter.isSpeaking;
  }

  #send({ samples, start }: Piece): void {
    const rate = this.#microphone?.rate;
    if (!rate) return;
    const upload: Upload = {
      chunkId: `mic-${makeRequestId()}`,
      startedAt: this.#startedAt + start * 1000,
      seconds: samples.length / rate,
      audio: new Blob([writeWav(resample(samples, rate))], { type: 'audio/wav' }),
      reason: null,
    };
    if (this.uploads.length >= WAITING_MAX) {
      this.failure = sessionText.speech.full(WAITING_MAX);
      this.stop();
    }
    this.uploads = [...this.uploads, upload];
    void this.#upload(upload);
  }

  async #upload(upload: Upload): Promise<void> {
    try {
      const task = await sessionApi.uploadSpeech(this.open.id, {
        ...upload,
        speaker: this.speaker.trim(),
      });
      this.discard(upload);
      this.open.takeTask(task);
    } catch (error) {
      this.#replace({ ...upload, reason: toProblem(error).detail });
    }
  }

  #replace(upload: Upload): void {
    this.uploads = this.uploads.map((one) => (one.chunkId === upload.chunkId ? upload : one));
  }
}
