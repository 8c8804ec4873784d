/* For how long things are shelved: what was chosen last, as long as the page lives. */
import { MINUTE } from './format';

export const SHELF_TIMES = [15, 30, 60, 240, 1440, 10_080].map((minutes) => minutes * MINUTE);
const USUAL_MS = 30 * MINUTE;

class Shelf {
  ms = $state(USUAL_MS);

  until(now: number): string {
    return new Date(now + this.ms).toISOString();
  }
}

export const shelf = new Shelf();
