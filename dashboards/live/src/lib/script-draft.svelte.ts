/* The script that somebody writes for a device. It survives a reload; where storage is forbidden it
   lasts as long as the page. */
import { recall, store } from './settings.svelte';

const keyOf = (device: string): string => `telemetra.device.${device}.script`;

export class ScriptDraft {
  /** A command that is to be one more step; whoever shows the text writes it there. */
  added = $state.raw<{ command: string; parameters: Record<string, unknown> } | null>(null);
  #text = $state('');
  #key: string;

  constructor(readonly deviceId: string) {
    this.#key = keyOf(deviceId);
    this.#text = recall(this.#key) ?? '';
  }

  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    this.#text = text;
    store(this.#key, text);
  }
}
