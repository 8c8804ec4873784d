/* The words of the system page. Figures come in already formatted. */
import type { Place, State } from './path';
import type { Part } from './troubles';

const plural = (n: number, one: string, many = `${one}s`): string => (n === 1 ? one : many);

export const words = {
  title: 'System',
  loading: 'Loading the state of the system',
  limit: (value: string) => `limit ${value}`,
  usual: (value: string) => `usual ${value}`,
  noData: 'no data',
  nothing: 'Nothing to measure yet',
  measuring: 'Measuring; the first figures come in 5 s',
  chart: (title: string, now: string) =>
    `${title}, last 15 minutes: ${now}. Arrow keys move the cursor.`,

  path: 'The path of an event',
  states: { well: 'well', strained: 'strained', down: 'down', unknown: 'not known' } as Record<
    State,
    string
  >,
  places: {
    senders: 'Senders',
    api: 'API',
    bus: 'Bus',
    flow: 'Flow',
    database: 'TimescaleDB',
    push: 'Live push',
    screen: 'This screen',
  } as Record<Place, string>,
  units: {
    requests: 'requests',
    append: 'to append, p99',
    behind: 'behind',
    commit: 'a commit',
    sent: 'sent',
    screen: 'from commit, p50',
  },
  notes: {
    senders: (usual: string | null, refused: string) =>
      `${usual ? `usual ${usual}, ` : ''}${refused} refused`,
    api: (p99: string, limit: string) => `p99 ${p99}, limit ${limit}`,
    bus: (fullest: string, max: string, shards: number) =>
      `${fullest} of ${max} entries, fullest of ${shards}`,
    busElsewhere: 'Kafka',
    flow: (usual: string | null, limit: string) =>
      usual ? `usual ${usual}, limit ${limit}` : `learning what is usual, limit ${limit}`,
    database: (most: string, limit: string) => `longest ${most}, limit ${limit}`,
    push: (sockets: string, max: string, dropped: string) =>
      `${sockets} of ${max} sockets, ${dropped} skipped`,
    screen: (p99: string, limit: string) => `p99 ${p99}, limit ${limit}`,
    screenIdle: 'nothing new in the last minute',
  },

  troubleTitles: {
    database: { error: 'The database is down', degraded: 'The database is busy' },
    redis: { error: 'Redis is down', degraded: 'Redis is strained' },
    flow: { error: 'The flow is down', degraded: 'The flow is behind' },
    archive: { error: 'The archive is down', degraded: 'The archive is behind' },
    alerts: { error: 'The alerts are down', degraded: 'The alerts are behind' },
    jobs: { error: 'The jobs are down', degraded: 'The jobs are behind' },
  } as Record<Part, Record<'error' | 'degraded', string>>,
  /** What it means for the data. */
  meanings: {
    database:
      'Minutes, moments and history cannot be read or written. Events are still taken and wait on the bus; nothing acknowledged is lost. Pages show answers from before where there are some.',
    redis:
      'Nothing can be ingested, and nothing is pushed live: senders are told to try again. Stored data is safe and can be read.',
    flow: 'Figures and moments arrive late until the flow has caught up; none is lost.',
    archive:
      'The bus keeps what the archive does not have yet, and fills up. Figures and moments are not affected.',
    alerts:
      'Nobody is told of moments until the alerts have caught up; what there is to tell is kept. Figures and moments are not affected.',
    jobs: 'Speech becomes text late; uploads are kept until then. Figures and moments are not affected.',
  } as Record<Part, string>,
  since: (time: string, forHow: string, seen: boolean) =>
    seen ? `Since ${time}, ${forHow}.` : `At least since ${time}, when this page was opened.`,
  apiAwayTitle: 'The API does not answer',
  apiAway: (ago: string) =>
    `Figures below are from ${ago} ago. What other processes do is not known here; events in flight are kept by those that run.`,

  lag: 'Flow lag',
  lagUnit: 'ms behind the senders',
  worst: 'worst',
  shards: 'Lag by shard',
  shard: (shard: number, lag: string) => `shard ${shard}, ${lag}`,
  shardFirst: 'shard 0',
  shardsIdle: 'no events in the last 10 s',
  latency: 'API latency',
  latencyUnit: 'ms, of this process',
  screen: 'Commit to screen',
  screenUnit: 'ms, on this page',
  rows: {
    requests: 'Requests',
    failed: 'Answered 5xx',
    lately: 'in 15 min',
    refused: 'Events refused',
    commit: 'Commit time',
    commitMost: (most: string) => `longest ${most}`,
    applied: 'Events committed',
    arriving: 'Messages to this page',
    lagUsual: 'Usual lag',
    archive: 'Archive',
    behind: 'behind',
  },
  sockets: 'Sockets',
  socketsUnit: 'live push, this process',
  socketRows: {
    open: 'Connections',
    sent: 'Sent',
    dropped: 'Skipped for slow clients',
    replaced: 'Replaced by newer ones',
    slow: 'Closed as too slow',
    refused: 'Refused',
  },
  sinceStart: 'since start',
  of: (max: string) => `of ${max}`,
  cache: 'Cache and bus',
  cacheUnit: 'Redis, and this process',
  cacheRows: {
    hits: 'Hits',
    trip: 'Redis round trip',
    memory: 'Answers in memory',
    redis: 'Redis memory',
    noLimit: 'no limit set',
    bus: 'Bus entries kept',
    shards: (n: number) => `in ${n} ${plural(n, 'shard')}`,
    evicted: 'Keys evicted',
  },
  database: 'Database',
  databaseUnit: (postgres: string, timescale: string) =>
    `PostgreSQL ${postgres}${timescale ? `, TimescaleDB ${timescale}` : ''}`,
  databaseRows: {
    pool: 'Pool connections lent',
    waiting: 'Requests waiting',
    server: 'Server connections',
    trip: 'Round trip',
    slow: 'Slow statements',
    slowNote: (limit: string) => `over ${limit}, since start`,
    size: 'Size on disk',
    migration: (n: string) => `schema ${n}`,
  },

  jobs: 'Jobs',
  jobsUnit: 'all workers',
  jobRows: {
    heard: 'Worker heard',
    ago: (age: string) => `${age} ago`,
    noWorker: 'no worker',
    running: 'Running',
    workers: (n: number) => `by ${n} ${plural(n, 'worker')}`,
    queue: (name: string) => `Waiting, ${name}`,
    waiting: 'Waiting',
    oldest: (age: string) => `oldest ${age}`,
    retrying: 'Tried, to be tried again',
    failed: 'Given up',
    ofNewest: 'of the last 1000',
  },
  devices: 'Devices',
  devicesUnit: 'all processes',
  deviceRows: {
    connected: 'Connected',
    stale: 'Stale',
    gone: 'Gone',
    points: 'Points taken',
    here: 'this process',
    lost: 'Points lost',
    untold: 'Payloads not told',
  },
  commands: 'Commands',
  commandsUnit: 'all devices',
  commandRows: {
    open: 'Open',
    timedOut: 'Timed out',
    moved: 'Steps',
  },

  processes: 'Processes',
  processesUnit: (version: string) => `version ${version}`,
  columns: {
    name: 'Name',
    state: 'State',
    version: 'Version',
    up: 'Up',
    cpu: 'CPU',
    memory: 'Memory',
    connections: 'DB conn.',
  },
  processStates: { runs: 'runs', late: 'silent', seen: 'connected', gone: 'gone' },
  processHints: {
    runs: 'It tells of itself every second.',
    gone: 'It told of itself before, and does no more.',
    late: (age: string) => `It last told of itself ${age} ago.`,
    seen: 'It is known only as a client of the database.',
  },
  otherVersion: 'not the version that answers',
  processesNote:
    'CPU is of one core. Connectors and the simulator tell nothing of themselves here: telemetra status lists them, and their own /metrics has their figures.',
  processesNone: 'What runs could not be asked.',

  letters: 'Dead letters',
  lettersUnit: (n: string, waiting: string) => `${n} in 48 h, ${waiting} waiting, none lost`,
  lettersNone: 'No dead letters',
  lettersNoneWhy: 'Everything that senders were promised could be read.',
  lettersNoneWaiting: 'None is waiting; those before were replayed.',
  letterFilter: 'Show',
  letterFilters: { waiting: 'Waiting', all: 'All' },
  letterColumns: {
    time: 'Arrived',
    about: 'About',
    reason: 'Reason',
    size: 'Size',
    actions: 'Actions',
  },
  noStream: 'no stream can be read',
  moreStreams: (first: string, rest: number) => `${first} and ${rest} more`,
  show: 'Show',
  hide: 'Hide',
  showLetter: (id: string) => `Show dead letter ${id}`,
  replay: 'Replay',
  replayOne: (id: string) => `Replay dead letter ${id}`,
  replaying: 'Replaying…',
  replayAll: 'Replay all',
  replayed: (time: string) => `replayed ${time}`,
  replayedSome: (n: number) =>
    `${n} ${plural(n, 'letter')} put on the bus again. What still cannot be read comes back as a new one.`,
  more: 'Show older',
  eventsIn: (n: number, shown: number) =>
    n === shown ? `${n} ${plural(n, 'event')}` : `${n} events, the first ${shown}`,
  eventsNone: 'It holds no events that can be read. Its first bytes:',
  letterMeta: (id: string, listed: string) => `${id}, put aside at ${listed}`,
  lettersForbidden: 'This key may not see dead letters',
  lettersForbiddenWhy:
    'They are raw bytes of many senders. A key with the scope operate that reaches all streams may see and replay them.',
};
