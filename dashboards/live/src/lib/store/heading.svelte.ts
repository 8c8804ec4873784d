/* What the thing on screen is called, where only its view knows: the bar above shows it. */

class Heading {
  name = $state<string | null>(null);
}

export const heading = new Heading();
