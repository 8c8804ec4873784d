/* A long press with a finger, where there is no pointer to hover with. */

const PRESS_MS = 500;
/** A finger that moves further scrolls. */
const SLIP_PX = 8;

/** Call `act` after a long press on an element, which then follows no link and opens no menu. */
export function longPress(act: () => void): (element: HTMLElement) => () => void {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let from: [number, number] = [0, 0];
    let done = false;
    const stop = (): void => clearTimeout(timer);
    const down = (event: PointerEvent): void => {
      done = false;
      if (event.pointerType !== 'touch') return;
      from = [event.clientX, event.clientY];
      timer = setTimeout(() => {
        done = true;
        act();
      }, PRESS_MS);
    };
    const move = (event: PointerEvent): void => {
      if (Math.hypot(event.clientX - from[0], event.clientY - from[1]) > SLIP_PX) stop();
    };
    const swallow = (event: Event): void => {
      if (done) event.preventDefault();
    };
    const heard: [string, (event: never) => void][] = [
      ['pointerdown', down],
      ['pointermove', move],
      ['pointerup', stop],
      ['pointercancel', stop],
      ['click', swallow],
      ['contextmenu', swallow],
    ];
    for (const [name, hear] of heard) element.addEventListener(name, hear as EventListener, true);
    return () => {
      stop();
      for (const [name, hear] of heard)
        element.removeEventListener(name, hear as EventListener, true);
    };
  };
}
