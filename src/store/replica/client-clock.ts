/** Milliseconds between 1970-01-01 and 2015-01-01 UTC, where the protocol's timestamps start. */
export const PROTOCOL_EPOCH = 1_420_070_400_000;

/** The timestamp of a new local changeset: now, but always after the one before (spec/server-history.md §8.2). */
export function nextTimestamp(unixTime: number, last: number): number {
  return Math.max(Math.floor(unixTime) - PROTOCOL_EPOCH, last + 1);
}
