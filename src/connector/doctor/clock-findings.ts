/** Compares this machine's clock with others: changes of both sides meet by their times, and tokens end by them. */
import { type Finding, fine, problem, warning } from '../finding.ts';

/** More than networks and rounding explain: the later of two changes may lose. */
const NOTICEABLE_MILLISECONDS = 2_000;
/** Logins and tokens begin to fail. */
const INTOLERABLE_MILLISECONDS = 300_000;

/** `offsetMilliseconds` is how far the other clock is ahead of ours, known but for `uncertaintyMilliseconds`. */
export function clockFinding(
  whose: string,
  offsetMilliseconds: number,
  uncertaintyMilliseconds: number,
): Finding {
  const check = `clock/${whose.replaceAll(' ', '-')}`;
  const off = Math.max(Math.abs(offsetMilliseconds) - uncertaintyMilliseconds, 0);
  const seconds = (Math.abs(offsetMilliseconds) / 1000).toFixed(1);
  const direction = offsetMilliseconds > 0 ? 'ahead of' : 'behind';
  const text = `the clock of the ${whose} is ${seconds} s ${direction} this machine’s`;
  const remedy = 'let both machines take their time from the same source (NTP)';
  if (off >= INTOLERABLE_MILLISECONDS) return problem(check, text, remedy);
  if (off >= NOTICEABLE_MILLISECONDS) return warning(check, text, remedy);
  return fine(check, `the clock of the ${whose} agrees with this machine’s`);
}
