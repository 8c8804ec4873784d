/* What the search says. It is loaded with the search. */
import type { FoundKind } from './search';

export const search = {
  title: 'Search',
  placeholder: 'Go to stream, session, device…',
  kinds: {
    stream: 'Streams',
    session: 'Sessions',
    device: 'Devices',
    moment: 'Moments',
    board: 'Boards',
    page: 'Pages',
  } satisfies Record<FoundKind, string>,
  none: (query: string) => `Nothing is called “${query}”.`,
  noneHint: 'Try fewer letters, a part of a name, or the id of a moment.',
  count: (n: number) => (n === 1 ? '1 result' : `${n} results`),
  asking: 'Asking the server…',
  failed: 'The server could not be asked. These are the names this page knows.',
  keys: { move: 'choose', open: 'open', close: 'close' },
  close: 'Close search',
};
