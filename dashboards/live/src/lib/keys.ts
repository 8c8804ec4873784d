/* Single-key shortcuts. A view registers what it understands while it is on screen; keys typed
   into a field, with a modifier, or after shortcuts were switched off do nothing. `g` waits for
   a second key. */
import { settings } from './settings.svelte';

type Action = (event: KeyboardEvent) => void;

const SEQUENCE_MS = 1200;
const bindings: Record<string, Action>[] = [];
let prefix = '';
let prefixAt = 0;

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Enter on a link or a button is its own, whatever a view understands by it. */
function isPress({ key, target }: KeyboardEvent): boolean {
  return key === 'Enter' && target instanceof Element && target.matches('a, button, summary');
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!settings.shortcuts || isTyping(event.target) || isPress(event)) return;
  if (document.querySelector('dialog[open]')) return;
  const key =
    performance.now() - prefixAt < SEQUENCE_MS && prefix ? `${prefix} ${event.key}` : event.key;
  prefix = '';
  if (event.key === 'g' && key === 'g') {
    prefix = 'g';
    prefixAt = performance.now();
    return;
  }
  const action = bindings.findLast((one) => key in one)?.[key];
  if (!action) return;
  event.preventDefault();
  action(event);
}

addEventListener('keydown', onKey);

/** Understand these keys until the returned function is called. */
export function bindKeys(actions: Record<string, Action>): () => void {
  bindings.push(actions);
  return () => {
    bindings.splice(bindings.indexOf(actions), 1);
  };
}
