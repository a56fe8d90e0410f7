/**
 * Which realm paths a path rule means. A pattern is a path whose segments may be
 *
 * - text, equal to the path's segment; a `*` in it stands for any characters, also none, but no slash,
 * - `~` or `:userId`, the id of the user who asks,
 * - `**`, only at the end: one or more segments, whatever they are.
 *
 * Like partition values, patterns may leave out the leading slash. System realms match no pattern.
 */
import { isSystemPath } from '../realms/realm-path.ts';

const USER_ID = [':userId', '~'];
const REST = '**';
const WILDCARD = '*';
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f"'`]/;

type SegmentTest = (segment: string, userId: string) => boolean;

/** Decides for a user whether a path is meant. */
export type PathPattern = (path: string, userId: string) => boolean;

/** What is wrong with a pattern; undefined when it is good. */
export function patternFault(pattern: string): string | undefined {
  const segments = segmentsOf(pattern);
  if (pattern === '/') return undefined;
  if (FORBIDDEN.test(pattern)) return 'it contains a control character or a quote';
  for (const [index, segment] of segments.entries()) {
    if (segment === '') return 'it has an empty segment';
    if (segment === '.' || segment === '..') return `it has the segment "${segment}"`;
    if (segment.includes(REST) && (segment !== REST || index < segments.length - 1)) {
      return `${REST} may only be the whole last segment`;
    }
    if (segment.startsWith(':') && !USER_ID.includes(segment))
      return `${segment} is unknown: there is :userId`;
  }
  return isSystemPath(`/${segments[0]}`) ? 'system realms are open to administrators only' : undefined;
}

export function compilePattern(pattern: string): PathPattern {
  if (pattern === '/') return (path) => path === '/';
  const segments = segmentsOf(pattern);
  const open = segments.at(-1) === REST;
  const tests = (open ? segments.slice(0, -1) : segments).map(segmentTest);
  return (path, userId) => {
    if (isSystemPath(path) || path === '/') return false;
    const found = segmentsOf(path);
    const fits = open ? found.length > tests.length : found.length === tests.length;
    return fits && tests.every((test, index) => test(found[index] ?? '', userId));
  };
}

/** Whether a pattern is the very text of a path, so that it can mean no other. */
export function names(pattern: string, path: string): boolean {
  return pattern === path || `/${pattern}` === path;
}

function segmentsOf(path: string): string[] {
  return (path.startsWith('/') ? path.slice(1) : path).split('/');
}

function segmentTest(pattern: string): SegmentTest {
  if (USER_ID.includes(pattern)) return (segment, userId) => segment === userId;
  if (!pattern.includes(WILDCARD)) return (segment) => segment === pattern;
  const [start = '', ...rest] = pattern.split(WILDCARD);
  const end = rest.pop() ?? '';
  return (segment) => hasParts(segment, start, rest, end);
}

/** Takes each part at its first place, so that the work is bounded by the segment's length. */
function hasParts(segment: string, start: string, parts: readonly string[], end: string): boolean {
  if (segment.length < start.length + end.length) return false;
  if (!segment.startsWith(start) || !segment.endsWith(end)) return false;
  const last = segment.length - end.length;
  let at = start.length;
  for (const part of parts) {
    const found = segment.indexOf(part, at);
    if (found < 0 || found + part.length > last) return false;
    at = found + part.length;
  }
  return true;
}
