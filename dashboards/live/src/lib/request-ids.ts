/* Ids by which what is asked for again is known to be the same. */

/** A new one; the page may have come over plain HTTP, where `randomUUID` is missing. */
export const makeRequestId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
