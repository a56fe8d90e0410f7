/** Collations: how strings are equal and in which order they come. */
import { SqlFailure } from '../../contract.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';

export const DEFAULT_COLLATION = 'SQL_Latin1_General_CP1_CI_AS';

export type Collation = {
  readonly name: string;
  readonly binary: boolean;
  readonly caseSensitive: boolean;
  readonly accentSensitive: boolean;
  readonly utf8: boolean;
  /** Equal strings have equal keys; trailing spaces never count. */
  readonly key: (text: string) => string;
  /** As {@link key}, but trailing spaces count. */
  readonly fold: (text: string) => string;
  readonly compare: (left: string, right: string) => number;
};

const LANGUAGES =
  'SQL_Latin1_General_CP1|SQL_Latin1_General_CP850|Latin1_General|Latin1_General_100|Latin1_General_140|Modern_Spanish|Modern_Spanish_100|Finnish_Swedish|Finnish_Swedish_100|French|French_100|German_PhoneBook|German_PhoneBook_100|Japanese|Japanese_XJIS_100|Japanese_XJIS_140|Turkish|Turkish_100|Danish_Norwegian|Danish_Norwegian_100';
const NAME = new RegExp(
  `^(?:${LANGUAGES})_(?:(BIN2?)|(CI|CS)_(AI|AS)(?:_KS)?(?:_WS)?(?:_SC)?(?:_VSS)?)(_UTF8)?$`,
  'i',
);
const known = new Map<string, Collation>();

/** The collation of that name. Throws 448 for an unknown one. */
export function collation(name: string, line: number = LINE_OF_STATEMENT): Collation {
  const key = name.toLowerCase();
  let found = known.get(key);
  if (found === undefined) {
    found = makeCollation(name, line);
    known.set(key, found);
  }
  return found;
}

function makeCollation(name: string, line: number): Collation {
  const match = NAME.exec(name);
  if (match === null) throw new SqlFailure(448, `Invalid collation '${name}'.`, { line });
  const [, binary, cases, accents, utf8] = match;
  const common = { name, utf8: utf8 !== undefined };
  if (binary !== undefined)
    return {
      ...common,
      binary: true,
      caseSensitive: true,
      accentSensitive: true,
      key: withoutTrailingSpaces,
      fold: (text) => text,
      compare: compareUnits,
    };
  const caseSensitive = cases!.toUpperCase() === 'CS';
  const accentSensitive = accents!.toUpperCase() === 'AS';
  const fold = folding(caseSensitive, accentSensitive);
  const key = (text: string): string => fold(withoutTrailingSpaces(text));
  const collator = new Intl.Collator('en', {
    sensitivity: sensitivity(caseSensitive, accentSensitive),
    caseFirst: 'lower',
  });
  const compare = (left: string, right: string): number => {
    if (left === right) return 0;
    const [a, b] = [key(left), key(right)];
    if (a === b) return 0;
    return collator.compare(a, b) || compareUnits(a, b);
  };
  return { ...common, binary: false, caseSensitive, accentSensitive, key, fold, compare };
}

function sensitivity(
  caseSensitive: boolean,
  accentSensitive: boolean,
): 'variant' | 'case' | 'accent' | 'base' {
  if (caseSensitive) return accentSensitive ? 'variant' : 'case';
  return accentSensitive ? 'accent' : 'base';
}

export function withoutTrailingSpaces(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return end === text.length ? text : text.slice(0, end);
}

const PLAIN = /^[\x20-\x7e]*$/;

function folding(caseSensitive: boolean, accentSensitive: boolean): (text: string) => string {
  return (text) => {
    if (PLAIN.test(text)) return caseSensitive ? text : text.toLowerCase();
    const normal = accentSensitive ? text.normalize('NFC') : text.normalize('NFD').replace(/\p{M}/gu, '');
    return caseSensitive ? normal : normal.toLowerCase();
  };
}

/** By UTF-16 code units, the shorter one padded with spaces. */
function compareUnits(left: string, right: string): number {
  const [a, b] = [withoutTrailingSpaces(left), withoutTrailingSpaces(right)];
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (i < a.length ? a.charCodeAt(i) : 32) - (i < b.length ? b.charCodeAt(i) : 32);
    if (difference !== 0) return difference;
  }
  return 0;
}
