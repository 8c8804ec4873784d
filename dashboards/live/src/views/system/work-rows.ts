/* The figures of what runs beside the streams: jobs, devices and their commands. */
import { count, duration, exact, MISSING, rate } from '../../lib/format';
import { health } from '../../lib/store/health.svelte';
import { system } from '../../lib/store/system.svelte';
import { words as t } from '../../lib/text-system';
import type { Row } from './FigureList.svelte';

const { courses } = system;
const { rows, jobRows: jobs, deviceRows: devices, commandRows: commands } = t;

export function jobRows(): Row[] {
  void system.version;
  const { jobs: now, limits } = system.info ?? {};
  const silent = limits?.jobs_silent_ms ?? null;
  return [
    {
      label: jobs.heard,
      figure: now && now.seen_ms === null ? jobs.noWorker : agoOf(now?.seen_ms),
      beside: now ? t.limit(duration(silent)) : '',
      strained: health.latest?.jobs.status === 'error',
      testid: 'jobs-heard',
      value: now?.seen_ms,
    },
    {
      label: jobs.running,
      figure: exact(now?.running),
      beside: now ? jobs.workers(now.workers) : '',
      testid: 'jobs-running',
      value: now?.running,
    },
    ...queueRows(),
    { label: jobs.retrying, figure: exact(now?.retrying), strained: !!now?.retrying },
    {
      label: jobs.failed,
      figure: exact(now?.failed),
      beside: jobs.ofNewest,
      strained: !!now?.failed,
      testid: 'jobs-failed',
      value: now?.failed,
    },
  ];
}

const agoOf = (ms: number | null | undefined): string =>
  ms === null || ms === undefined ? MISSING : jobs.ago(duration(ms));

/** A row for each queue in which something waits, or one that says that nothing does. */
function queueRows(): Row[] {
  const { jobs: now, limits } = system.info ?? {};
  if (!now?.queues.length)
    return [{ label: jobs.waiting, figure: now ? exact(0) : MISSING, testid: 'jobs-waiting' }];
  return now.queues.map(({ queue, waiting, oldest_ms }) => ({
    label: jobs.queue(queue),
    figure: exact(waiting),
    beside: jobs.oldest(duration(oldest_ms)),
    strained: oldest_ms > (limits?.jobs_waiting_ms ?? Infinity),
    testid: 'jobs-waiting',
    value: waiting,
  }));
}

export function deviceRows(): Row[] {
  void system.version;
  const now = system.info?.devices;
  const lost = system.sum('pointsLost');
  const untold = system.sum('untold');
  return [
    {
      label: devices.connected,
      figure: exact(now?.connected),
      testid: 'devices-connected',
      value: now?.connected,
    },
    { label: devices.stale, figure: exact(now?.stale), strained: !!now?.stale },
    { label: devices.gone, figure: exact(now?.gone) },
    { label: devices.points, figure: rate(courses.latest('points')), beside: devices.here },
    { label: devices.lost, figure: exact(lost), beside: rows.lately, strained: !!lost },
    { label: devices.untold, figure: exact(untold), beside: rows.lately, strained: !!untold },
  ];
}

export function commandRows(): Row[] {
  void system.version;
  const now = system.info?.devices;
  return [
    {
      label: commands.open,
      figure: count(now?.commands_open),
      testid: 'commands-open',
      value: now?.commands_open,
    },
    {
      label: commands.timedOut,
      figure: exact(now?.commands_timed_out),
      beside: rows.lately,
      strained: !!now?.commands_timed_out,
    },
    { label: commands.moved, figure: rate(courses.latest('commands')), beside: devices.here },
  ];
}
