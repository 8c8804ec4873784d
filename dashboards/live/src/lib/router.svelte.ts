/* The client-side router: the views, their addresses, and the query that holds their settings.
   Links stay plain <a href>, so they can be copied, opened in a tab and followed before the
   page has started. */

/** Views that are a list, or one of its things where the address names it. */
const LISTS = ['moments', 'sessions', 'devices', 'boards'] as const;
const PAGES = ['alerts', 'system', 'keys'] as const;

export type ListView = (typeof LISTS)[number];
export type PageView = (typeof PAGES)[number];
export type Route =
  | { view: 'overview' | PageView }
  | { view: 'stream'; id: string }
  | { view: ListView; id: string | null }
  | { view: 'unknown'; path: string };

/** What a view is given that is loaded when it is asked for. */
export interface ViewProps {
  id: string | null;
}

const PATH = /^\/app\/([a-z]+)(?:\/([^/]+))?\/?$/;

export function readRoute(path: string): Route {
  if (path === '/' || path === '/app' || path === '/app/') return { view: 'overview' };
  const [, name, id] = PATH.exec(path) ?? [];
  if (name === 'streams' && id) return { view: 'stream', id: decode(id) };
  const list = LISTS.find((view) => view === name);
  if (list) return { view: list, id: id === undefined ? null : decode(id) };
  const page = PAGES.find((view) => view === name);
  return page && id === undefined ? { view: page } : { view: 'unknown', path };
}

/** A stray percent sign does not decode; the name is then taken as it stands. */
function decode(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

export const streamPath = (id: string): string => `/app/streams/${encodeURIComponent(id)}`;
export const viewPath = (view: ListView | PageView, id?: string): string =>
  `/app/${view}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;

class Router {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));
  route = $derived(readRoute(this.path));
  /** How many steps of this view can be taken back with `z`. */
  steps = $state(0);

  start(): void {
    addEventListener('popstate', () => {
      this.steps = Math.max(0, this.steps - 1);
      this.#read();
    });
    document.addEventListener('click', (event) => this.#follow(event));
  }

  go(url: string): void {
    history.pushState(null, '', url);
    this.steps = 0;
    this.#read();
    scrollTo(0, 0);
    // The new page is announced, and the next Tab starts at its top.
    document.getElementById('main')?.focus({ preventScroll: true });
  }

  /** Show another thing of the view that is open: what has the focus keeps it, and nothing
      scrolls. */
  turn(url: string): void {
    if (url === location.pathname + location.search) return;
    history.replaceState(history.state, '', url);
    this.#read();
  }

  /** Change parts of the query; null removes one. `step` makes it a step that can be taken back. */
  set(changes: Record<string, string | null>, step = false): void {
    const query = new URLSearchParams(this.query);
    for (const [key, value] of Object.entries(changes)) {
      if (value === null || value === '') query.delete(key);
      else query.set(key, value);
    }
    const search = query.toString();
    const url = this.path + (search ? `?${search}` : '');
    if (step) {
      history.pushState(null, '', url);
      this.steps += 1;
    } else {
      history.replaceState(history.state, '', url);
    }
    this.#read();
  }

  #read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target || link.origin !== location.origin) return;
    if (link.hash || readRoute(link.pathname).view === 'unknown') return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
