/* How a device in a list is told of: how it is, and how much it says. */
import { age, rate } from './format';
import type { DeviceEntry } from './store/devices.svelte';
import { deviceText } from './text-devices';

const t = deviceText.link;

/** Under the name: what it can, or since when it cannot be heard. */
export function wordLink({ link, seenAt, info }: DeviceEntry, now: number): string {
  if (link === 'gone') return t.lost(age(seenAt, now));
  if (link === 'stale') return t.silent(age(seenAt, now));
  return t.registered(info.telemetry_types, info.command_templates);
}

/** Values a second, while it is there. */
export const wordRate = (entry: DeviceEntry): string =>
  rate(entry.link === 'gone' ? null : entry.rate);

/** Whether every word is in its name, its id or its kind. */
export function fits({ info }: DeviceEntry, words: readonly string[]): boolean {
  const text = [info.title, info.device_id, info.kind].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}
