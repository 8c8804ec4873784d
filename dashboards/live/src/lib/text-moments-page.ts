/* Every sentence and label of the moments page; what other pages say of moments, too, is in
   text-moments.ts. */

const plural = (n: number, one: string, many = `${one}s`): string => (n === 1 ? one : many);
const lower = (words: string): string => words.charAt(0).toLowerCase() + words.slice(1);

export const page = {
  filter: {
    find: 'Find and filter',
    words: 'Search moments',
    placeholder: 'Stream, channel, type, words…',
    state: 'State',
    states: {
      open: 'Open',
      acknowledged: 'Acknowledged',
      shelved: 'Shelved',
      resolved: 'Resolved',
    },
    severity: 'Least severity',
    severities: {
      low: 'Any severity',
      medium: 'Medium and up',
      high: 'High and up',
      critical: 'Critical',
    },
    type: 'Type',
    anyType: 'Any type',
    stream: 'Stream',
    anyStream: 'All streams',
    newest: 'Back to the newest',
    before: (at: string) => `before ${at}`,
    clear: 'Clear filter',
  },

  feed: {
    title: 'Feed',
    order: 'newest first',
    loading: 'Loading moments',
    more: 'Older',
    reading: 'Looking…',
    lookedTo: (at: string) => `looked back to ${at}`,
    all: 'These are all.',
    full: 'Older ones, on a page of their own',
    waiting: (n: number) => `${n} new`,
    none: 'No moment here',
    noMatch: 'No moment fits the filter.',
    calm: 'Nothing unusual',
    calmWhy: 'Nothing needs anybody now. What was resolved is one press away.',
    acknowledgeAll: 'Acknowledge all',
    acknowledgeAllHint: (n: number) => `Acknowledge all: ${n} open ${plural(n, 'moment')}`,
    course: (name: string, stream: string) => `Course of ${lower(name)} on ${stream}`,
    yesterday: 'Yesterday',
  },

  row: {
    open: (time: string) => `open, ${time}`,
    over: (time: string) => `open, over after ${time}`,
    shelved: (until: string) => `shelved until ${until}`,
    muted: 'muted until it is over',
  },

  one: {
    nothing: 'No moment opened',
    nothingWhy: 'Choose one from the feed.',
    loading: 'Loading moment',
    back: 'All moments',
    on: (name: string, stream: string) => `${name} on ${stream}`,
    openStream: 'Open stream',
    copyLink: 'Copy link',
    copied: 'Link copied.',
    notCopied: 'The browser does not let the page copy. The link is in the address bar.',
    goneTitle: 'Its stream was deleted',
    gone: 'This is what was known of it; nothing can be changed any more.',
    missing: 'No such moment. It may have been deleted with its stream, or the link may have a slip.',
  },

  lede: {
    subjects: {
      chat_count: 'Chat',
      chat_rate: 'Chat',
      avg_viewers: 'Viewers',
      avg_sentiment: 'Sentiment',
      transaction_count: 'Transactions',
    } as Record<string, string>,
    rose: ' rose to ',
    fell: ' fell to ',
    times: (ratio: string) => `, ${ratio} times the expected `,
    against: ', against an expected ',
    with: (up: string, down: string) =>
      [up && `${up} rose`, down && `${down} fell`].filter(Boolean).join(', ') + ' with it. ',
    and: ' and ',
    going: 'Goes on for ',
    over: 'Was over after ',
  },

  act: {
    acknowledge: 'Acknowledge',
    done: 'Done',
    resolve: 'Resolve',
    reopen: 'Reopen',
    shelve: (time: string) => `Shelve ${time}`,
    mute: 'Mute until over',
    shelfTime: 'Shelve for how long',
    right: 'Was this right?',
    label: 'Label',
    true: 'True',
    false: 'False',
    busy: 'Saving…',
    actions: 'Actions',
  },

  /** What was done, as the notice says it: “Chat spike on bench acknowledged.” */
  did: {
    acknowledge: 'acknowledged',
    shelve: 'shelved',
    mute: 'muted',
    resolve: 'resolved',
    reopen: 'reopened',
    true: 'labelled true',
    false: 'labelled false',
    null: 'no longer labelled',
  } as Record<string, string>,
  said: (name: string, stream: string, did: string) => `${name} on ${stream} ${did}.`,
  saidMany: (n: number, did: string) => `${n} ${plural(n, 'moment')} ${did}.`,
  saidSome: (n: number, all: number, did: string) =>
    `${n} of ${all} moments ${did}; the others were changed meanwhile.`,
  undone: 'Taken back.',
  notDone: (why: string) => `Not done. ${why}`,
  notUndone: (why: string) => `Not taken back. ${why}`,
  faster: (who: string, did: string, at: string) => `At ${at} ${who} ${did}.`,
  fasterSomehow: 'It was changed meanwhile.',

  life: {
    title: 'State',
    openSince: (at: string) => `Open since ${at}`,
    opened: (at: string) => `Opened ${at}`,
    acknowledged: 'Acknowledged',
    put: 'Shelved or muted',
    shelved: 'Shelved',
    muted: 'Muted',
    until: (at: string) => `until ${at}`,
    untilOver: 'until it is over',
    resolved: 'Resolved',
    by: (who: string, at: string) => `${at} by ${who}`,
    withEnd: (at: string) => `${at}, with its end`,
  },

  facts: {
    started: 'Started',
    lasted: 'Lasted',
    lasts: 'Goes on for',
    peak: 'Peak',
    expected: 'Expected',
    usual: 'Usual',
    z: 'z-score',
    detector: 'Told by',
    detectors: { level: 'level', rush: 'seconds', rhythm: 'rhythm' } as Record<string, string>,
  },

  chart: {
    titles: {
      chat: 'Chat rate',
      viewers: 'Viewers',
      sentiment: 'Sentiment',
      transactions: 'Transactions',
      channel: '',
    },
    units: {
      chat: 'messages/s',
      viewers: '',
      sentiment: '−1 to +1',
      transactions: 'a minute',
      channel: '',
    },
    moment: 'this moment',
    loading: 'Loading chart',
  },

  why: {
    moved: 'What else moved',
    movedUnit: 'against four times as long before',
    surged: 'Words and emotes that surged',
    said: 'What was said',
    announced: 'What was announced and given',
    none: 'Nothing else was different.',
    usually: (value: string, usual: string) => `${value}, usually ${usual}`,
    times: (ratio: string) => `×${ratio}`,
    new: 'new',
  },

  history: {
    title: 'Comments and history',
    began: 'It began',
    peak: (value: string) => `Peak of ${value}, score `,
    ended: (time: string) => `Over after ${time}`,
    withdrawn: 'Withdrawn: complete minutes did not confirm it',
    did: {
      acknowledge: 'acknowledged it',
      shelve: (until: string) => `shelved it until ${until}`,
      mute: 'muted it until it is over',
      resolve: 'resolved it',
      reopen: 'reopened it',
      true: 'said that it was a true one',
      false: 'said that it was a false alarm',
      null: 'took the label off',
      comment: 'commented on it',
    },
    comment: 'Comment',
    placeholder: 'Add what you know…',
    hint: 'Ctrl + Enter sends',
    left: (n: number) => `${n} ${plural(n, 'sign')} left`,
    system: 'Telemetra',
  },

  announce: (n: number, gravest: string) =>
    n === 1 ? `New moment: ${gravest}.` : `${n} new moments, the gravest: ${gravest}.`,
  announced: (name: string, stream: string, level: string) =>
    `${lower(name)} on ${stream}, ${level}`,
};
