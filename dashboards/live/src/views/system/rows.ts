/* The figures of each panel of the system page, worded: what, how much, and beside what it stands.
   They read the store, so a component that shows them follows it. */
import { bytes } from '../../lib/bytes';
import { count, duration, exact, MISSING, percent, rate } from '../../lib/format';
import { LIMITS } from '../../lib/path';
import { health } from '../../lib/store/health.svelte';
import { isAtHand, system } from '../../lib/store/system.svelte';
import { words as t } from '../../lib/text-system';
import type { Row } from './FigureList.svelte';

const { courses } = system;
const { rows, socketRows: sockets, cacheRows: cache, databaseRows: database } = t;

/** A counter of the process that answers, since it started; one with labels begins with its first
    count. */
const counted = (name: string): number | null => (system.scrape ? (system.value(name) ?? 0) : null);

/** Where nobody read lately. */
function hitsSinceStart(): number | null {
  const name = 'telemetra_cache_reads_total';
  const all = system.value(name);
  return all ? (system.value(name, isAtHand) ?? 0) / all : null;
}

export function flowRows(): Row[] {
  void system.version;
  const now = health.latest;
  return [
    {
      label: rows.applied,
      figure: rate(now?.flow.events_per_second),
      testid: 'applied',
      value: now?.flow.events_per_second,
    },
    {
      label: rows.archive,
      figure: duration(now?.archive.lag_ms),
      beside: `${rows.behind}, ${t.limit(duration(system.info?.limits.archive_lag_ms))}`,
      strained: now !== null && now.archive.status !== 'ok',
    },
  ];
}

export function latencyRows(): Row[] {
  void system.version;
  const usual = courses.usual('requests');
  const failed = system.sum('failed');
  const refused = system.sum('refused');
  return [
    {
      label: rows.requests,
      figure: rate(courses.latest('requests')),
      beside: usual === null ? '' : t.usual(rate(usual)),
    },
    { label: rows.failed, figure: exact(failed), beside: rows.lately, strained: !!failed },
    { label: rows.refused, figure: exact(refused), beside: rows.lately, strained: !!refused },
  ];
}

export function screenRows(): Row[] {
  void system.version;
  const { flow } = system.info ?? {};
  return [
    {
      label: rows.commit,
      figure: duration(flow?.commit_ms),
      beside: rows.commitMost(duration(flow?.commit_ms_most)),
      strained: (flow?.commit_ms_most ?? 0) > LIMITS.commit,
    },
    { label: rows.arriving, figure: rate(system.arriving) },
  ];
}

export function socketRows(): Row[] {
  void system.version;
  const dropped = system.sum('dropped');
  const since = { beside: t.sinceStart };
  const slow = counted('telemetra_live_connections_slow_total');
  const refused = counted('telemetra_live_connections_refused_total');
  return [
    {
      label: sockets.open,
      figure: exact(courses.latest('sockets') ?? system.value('telemetra_live_connections')),
      beside: t.of(count(system.info?.limits.live_connections)),
      testid: 'sockets',
      value: system.value('telemetra_live_connections'),
    },
    { label: sockets.sent, figure: rate(courses.latest('sent')) },
    { label: sockets.dropped, figure: exact(dropped), beside: rows.lately, strained: !!dropped },
    {
      label: sockets.replaced,
      figure: exact(counted('telemetra_live_messages_replaced_total')),
      ...since,
    },
    { label: sockets.slow, figure: exact(slow), ...since },
    { label: sockets.refused, figure: exact(refused), ...since, strained: !!refused },
  ];
}

export function cacheRows(): Row[] {
  void system.version;
  const { redis, bus, limits } = system.info ?? {};
  const usual = courses.usual('hits');
  const hits = courses.latest('hits');
  const most = redis?.memory_max_bytes;
  return [
    {
      label: cache.hits,
      figure: percent(hits ?? hitsSinceStart()),
      beside: hits === null ? t.sinceStart : usual === null ? '' : t.usual(percent(usual)),
    },
    { label: cache.trip, figure: duration(health.latest?.redis.latency_ms) },
    {
      label: cache.memory,
      figure: bytes(system.value('telemetra_cache_bytes')),
      beside: t.of(bytes(limits?.cache_bytes)),
    },
    {
      label: cache.redis,
      figure: bytes(redis?.memory_bytes),
      beside: redis ? (most ? t.of(bytes(most)) : cache.noLimit) : '',
      strained: !!most && redis.memory_bytes > most * 0.9,
    },
    {
      label: cache.bus,
      figure: count(bus?.entries),
      beside: bus ? cache.shards(bus.shards) : '',
      testid: 'bus-entries',
      value: bus?.entries,
    },
    {
      label: cache.evicted,
      figure: exact(redis?.evicted),
      beside: t.sinceStart,
      strained: !!redis?.evicted,
    },
  ];
}

export function databaseRows(): Row[] {
  void system.version;
  const { database: server, limits } = system.info ?? {};
  const waiting = system.value('telemetra_database_requests_waiting');
  return [
    {
      label: database.pool,
      figure: exact(system.value('telemetra_database_connections_used')),
      beside: t.of(exact(limits?.database_connections)),
    },
    {
      label: database.waiting,
      figure: exact(waiting),
      beside: t.of(count(limits?.database_requests_waiting)),
      strained: !!waiting,
    },
    {
      label: database.server,
      figure: exact(server?.connections),
      beside: server ? t.of(exact(server.connections_max)) : '',
      testid: 'server-connections',
      value: server?.connections,
    },
    { label: database.trip, figure: duration(health.latest?.database.latency_ms) },
    {
      label: database.slow,
      figure: exact(counted('telemetra_queries_slow_total')),
      beside: database.slowNote(duration(limits?.slow_query_ms)),
    },
    {
      label: database.size,
      figure: server ? bytes(server.size_bytes) : MISSING,
      beside: server ? database.migration(server.migration) : '',
      testid: 'size',
      value: server?.size_bytes,
    },
  ];
}
