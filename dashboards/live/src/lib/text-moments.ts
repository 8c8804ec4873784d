/* The sentences about moments: part of `text`, which is too long for one file. */

const NAMES: Record<string, string> = {
  chat_spike: 'Chat spike',
  chat_drop: 'Chat drop',
  viewer_spike: 'Viewer spike',
  viewer_drop: 'Viewer drop',
  sentiment_shift: 'Sentiment shift',
  transaction_spike: 'Transaction spike',
  reading_anomaly: 'Unusual reading',
  flatline: 'Stuck reading',
  silence: 'Silence',
};

export const MOMENT_TYPES: readonly string[] = Object.keys(NAMES);

/** Whether the page has words for a type; of another one the server's own sentence is shown. */
export const isKnownType = (type: string): boolean => Object.hasOwn(NAMES, type);

/** What people call a moment of a type: “Chat spike”; a type that is new here, by its own words. */
export function momentName(type: string): string {
  if (isKnownType(type)) return NAMES[type]!;
  const words = type.replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const moment = {
  act: {
    acknowledge: 'Acknowledge',
    resolve: 'Resolve',
    reopen: 'Reopen',
    shelve: 'Shelve',
    mute: 'Mute',
  },
  done: 'Done',
  /** What a button does to which moment, for who does not see the row. */
  actOn: (act: string, name: string, streamId: string, at: string) =>
    `${act}: ${name.toLowerCase()} on ${streamId}, ${at}`,
  forbidden: 'Your key lacks the scope operate.',
  changed: 'Changed meanwhile; not possible now.',
  missing: 'No longer there.',
  undone: (reason: string) => `Not done. ${reason}.`,

  states: {
    open: 'open',
    acknowledged: 'acknowledged',
    shelved: 'shelved',
    resolved: 'resolved',
  } as Record<string, string>,
  muted: 'muted',
  withdrawn: 'withdrawn',
  withdrawnWhy: 'Complete minutes did not confirm it: it was none.',
  unconfirmed: 'not confirmed yet',
  label: { true: 'a true one', false: 'a false alarm' },

  expected: (value: string, expected: string) => `${value}, expected ${expected}`,
  silent: (what: string, time: string, isOver: boolean) =>
    `${isOver ? 'there was no' : 'no'} ${what} for ${time}`,
  silence: {
    events: 'event of any kind',
    chat_count: 'chat message',
    avg_viewers: 'viewer count',
  } as Record<string, string>,
  stuck: (name: string, value: string) => `${name} stuck at ${value}`,

  facts: { value: 'Value', expected: 'Expected', band: 'Usual', toldBy: 'New' },

  page: 'Comments, history and more',
  told: 'Told:',
  toldState: {
    queued: 'waits',
    sending: 'on its way',
    delivered: '',
    failed: 'failed',
  } as Record<string, string>,
};

export const reason = {
  title: 'Why',
  kinds: {
    event: 'Announced',
    metric: 'Also moved',
    transaction: 'Given',
    emote: 'Emotes',
    word: 'Words',
    message: 'Messages',
    other: 'Also',
  } as Record<string, string>,
  metrics: {
    chat_count: 'Chat',
    avg_viewers: 'Viewers',
    avg_sentiment: 'Sentiment',
    transaction_count: 'Transactions',
  } as Record<string, string>,
  moved: (isUp: boolean, value: string, usual: string) =>
    `${isUp ? '▲' : '▼'} ${value}, usually ${usual}`,
  counted: (value: string, usual: string) => `${value} a minute, usually ${usual}`,
  shared: (value: string, usual: string) => `in ${value} of messages, usually ${usual}`,
};
