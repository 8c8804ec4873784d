/* The page's clock: one tick a second for everything that shows an age, a countdown or the
   time. Data carries the server's time, so a browser whose clock is wrong is set right by what
   the server says. */

/** A difference within this is the way of the message, not a wrong clock. */
const TRAVEL_MS = 2000;

class Clock {
  /** The server's time. */
  now = $state(Date.now());
  /** This browser's time, for countdowns it started itself. */
  local = $state(Date.now());
  #ahead = 0;

  start(): void {
    const tick = (): void => {
      this.local = Date.now();
      this.now = this.local + this.#ahead;
      // Aligned to the second, so that the clock on screen never skips one.
      setTimeout(tick, 1000 - (this.now % 1000));
    };
    tick();
  }

  /** Learn the server's time from a message that has just arrived. */
  set(timestamp: string): void {
    const ahead = Date.parse(timestamp) - Date.now();
    this.#ahead = Math.abs(ahead) > TRAVEL_MS ? ahead : 0;
  }
}

export const clock = new Clock();
