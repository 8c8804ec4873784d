/* What a person has set in this browser: the theme and whether single keys are shortcuts. */

type Theme = 'dark' | 'light';

const THEME_KEY = 'telemetra.theme';
const SHORTCUTS_KEY = 'telemetra.shortcuts';

/** Storage may be forbidden (private windows, policies); settings then last as long as the page. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    return;
  }
}

class Settings {
  /** Grows with every change of colours, for what has drawn with the old ones. */
  colours = $state(0);
  shortcuts = $state(recall(SHORTCUTS_KEY) !== 'off');
  #system = matchMedia('(prefers-color-scheme: light)');

  start(): void {
    const chosen = recall(THEME_KEY);
    if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
    this.#system.addEventListener('change', () => (this.colours += 1));
  }

  toggleTheme(): void {
    const root = document.documentElement;
    const now: Theme =
      root.dataset.theme === 'light' || (!root.dataset.theme && this.#system.matches)
        ? 'light'
        : 'dark';
    root.dataset.theme = now === 'light' ? 'dark' : 'light';
    store(THEME_KEY, root.dataset.theme);
    this.colours += 1;
  }

  setShortcuts(on: boolean): void {
    this.shortcuts = on;
    store(SHORTCUTS_KEY, on ? 'on' : 'off');
  }
}

export const settings = new Settings();
