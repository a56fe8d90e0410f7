/** The words that name parts of dates, and their abbreviations. */

const WORDS: Readonly<Record<string, readonly string[]>> = {
  year: ['yy', 'yyyy'],
  quarter: ['qq', 'q'],
  month: ['mm', 'm'],
  dayofyear: ['dy', 'y'],
  day: ['dd', 'd'],
  week: ['wk', 'ww'],
  weekday: ['dw', 'w'],
  hour: ['hh'],
  minute: ['mi', 'n'],
  second: ['ss', 's'],
  millisecond: ['ms'],
  microsecond: ['mcs'],
  nanosecond: ['ns'],
  tzoffset: ['tz'],
  iso_week: ['isowk', 'isoww'],
};
const BY_NAME = new Map(
  Object.entries(WORDS).flatMap(([word, short]) => [word, ...short].map((name) => [name, word] as const)),
);

/** The full word, in lower case; `undefined` for an unknown one. */
export function dateWord(name: string): string | undefined {
  return BY_NAME.get(name.toLowerCase());
}
