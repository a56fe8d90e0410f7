/** What is said of the dead letters of an adapter. */
import { type Finding, fine, warning } from '../finding.ts';

/** `since` is the instant of the oldest that waits. */
export function waitingLetters(
  check: string,
  count: string | null | undefined,
  since: string | null | undefined,
): Finding {
  if (count === '0') return fine(check, 'no dead letters wait');
  return warning(
    check,
    `${count} dead letters wait since ${since}: changes that one side could not take`,
    'see them with isthmus deadletter list, then retry or discard them',
  );
}
