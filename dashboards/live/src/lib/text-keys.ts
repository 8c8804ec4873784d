/* The words of the keys page, which is loaded when it is asked for. */

export const keyText = {
  tabs: { label: 'Keys', keys: 'Keys', audit: 'Audit log' },
  loading: 'Loading keys',
  new: 'New key',
  first: 'Make the first key',
  unit: 'newest first',
  columns: {
    name: 'Key',
    scopes: 'May',
    streams: 'Streams',
    used: 'Last used',
    ends: 'Ends',
  },
  allStreams: 'all',
  never: 'never',
  neverUsed: 'never used',
  ago: (age: string) => (age === 'now' ? 'now' : `${age} ago`),
  states: { good: '', ending: 'ends soon', expired: 'expired', revoked: 'revoked' },
  showEnded: (n: number) => `Show ${n} that ended`,
  hideEnded: 'Hide those that ended',
  more: 'Load older',
  none: 'No key yet.',
  onlyEnded: 'No key is good any more.',
  show: (name: string) => `Show ${name}`,
  thisOne: 'this page',

  openTitle: 'This server asks nobody for a key',
  open: 'Whoever reaches it may do everything. From the first key on every request needs one, of senders and dashboards too: give each its own.',
  openFirst:
    'Make it an admin key: this page goes on with it, and makes the others. It is shown once; without one, telemetra keys create on the machine makes another.',

  notAdmin: {
    title: 'Keys are for admins',
    why: (scopes: string) =>
      `Your key allows ${scopes}. Seeing and changing keys, and the audit log, need the scope admin.`,
    how: 'Whoever has an admin key makes you another one here, or in a terminal on the machine:',
    command: 'telemetra keys create "my browser" --scope admin',
  },

  form: {
    title: 'New key',
    name: 'Name',
    nameHint: 'Who or what shows it: a dashboard, a bench, a person.',
    scopes: 'May',
    scopesHint: {
      read: 'read: see everything',
      ingest: 'ingest: send events',
      operate: 'operate: change states of moments, send again',
      admin: 'admin: all of it, and the keys',
    },
    streams: 'Only these streams',
    streamsUnit: 'by comma, * for any part; empty: all',
    streamsAdmin: 'An admin key reaches every stream.',
    lasting: 'Good for',
    lastingWords: { never: 'ever', '30': '30 days', '90': '90 days', '365': 'a year' },
    make: 'Make key',
    notAdmin: 'Without an admin key nobody can make others on this page.',
  },

  once: {
    title: (name: string) => `${name} is ready`,
    why: 'It is shown this once. Copy it now: nobody can read it again, only replace it.',
    copy: 'Copy key',
    copied: 'Copied',
    done: 'Done',
    label: 'Key',
    inUse: 'This page uses it until the tab is closed.',
  },

  key: {
    prefix: 'Begins with',
    made: 'Made',
    by: (at: string, who: string) => `${at} by ${who}`,
    used: 'Last used',
    ends: 'Ends',
    revoked: 'Revoked',
    rotate: 'Replace its secret',
    rotateWarning: 'The secret before stops within a second. Whoever shows it is refused until it has the new one.',
    rotateSure: 'Replace it now',
    revoke: 'Revoke',
    revokeVerb: 'Revoke key',
    revokeWarning: 'It opens nothing any more, within a second, and sockets it opened close. This cannot be undone.',
    revokeSelf: 'This page uses it, and will ask for another one.',
    cancel: 'Cancel',
    gone: 'It is not there any more.',
  },

  audit: {
    title: 'Audit log',
    unit: 'who changed what, newest first',
    columns: { at: 'Time', who: 'Who', what: 'What', changed: 'Changed' },
    none: 'Nothing was changed yet.',
    more: 'Load older',
  },

  faults: {
    name: (max: number) => `A name has 1 to ${max} letters.`,
    scopes: 'Choose at least one.',
    streams: 'Names of streams with * for any part: no spaces in one, 128 signs at most.',
    tooMany: (max: number) => `At most ${max} of them.`,
    mend: 'Mend what is marked first.',
  },
};
