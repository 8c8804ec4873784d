import { beforeEach, expect, it, vi } from 'vitest';
import type { Device, DeviceMessage } from '../src/lib/api-devices';

const AT = '2026-01-26T10:00:00Z';
const server = vi.hoisted(() => ({
  answers: [] as ((devices: unknown[]) => void)[],
  tell: (_: unknown): void => undefined,
}));
vi.mock('../src/lib/api-devices', () => ({
  deviceApi: { list: () => new Promise((resolve) => server.answers.push(resolve)) },
}));
vi.mock('../src/lib/socket', () => ({
  NOT_YET: {},
  ReturningSocket: class {
    constructor(wishes: { receive(message: unknown): void }) {
      server.tell = (message) => wishes.receive(message);
    }
  },
}));
vi.mock('../src/lib/socket-address', () => ({ socketAddress: () => '' }));
vi.mock('../src/lib/store/access.svelte', () => ({ access: {} }));
vi.mock('../src/lib/store/clock.svelte', () => ({ clock: {} }));
const { devices } = await import('../src/lib/store/devices.svelte');

const comet = (link: Device['link']): Device => ({
  device_id: 'comet',
  title: null,
  kind: null,
  heartbeat_s: 10,
  link,
  last_seen_at: AT,
  registered_at: AT,
  created_at: AT,
  telemetry_types: 1,
  command_templates: 1,
});
const turn = (state: Device['link']): void =>
  server.tell({
    type: 'device_link',
    device_id: 'comet',
    state,
    reason: 'It is so.',
    timestamp: AT,
  } satisfies Partial<DeviceMessage>);
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

async function answer(link: Device['link']): Promise<void> {
  server.answers.shift()?.([comet(link)]);
  await settle();
}

beforeEach(async () => {
  void devices.load();
  await answer('gone');
});

it('shows what was told while the list was on its way', async () => {
  void devices.load();
  turn('connected');
  await answer('gone');
  expect(devices.find('comet')?.link).toBe('connected');
});

it('does not tell again with a later list what was told during an earlier one', async () => {
  turn('connected');
  await settle();
  turn('gone');
  await answer('connected');
  turn('connected');
  await settle();
  await answer('connected');
  expect(devices.find('comet')?.link).toBe('connected');
  expect(server.answers).toEqual([]);
});
