/** Collations: how strings are equal and in which order they come. */
import { SqlFailure } from '../../contract.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import { type CollationName, parseCollationName } from './collation-names.ts';

export const DEFAULT_COLLATION = 'SQL_Latin1_General_CP1_CI_AS';

export type Collation = {
  readonly name: string;
  /** Equal strings have equal keys; trailing spaces never count. */
  readonly key: (text: string) => string;
  /** As {@link key}, but trailing spaces count. */
  readonly fold: (text: string) => string;
  readonly compare: (left: string, right: string) => number;
};

const known = new Map<string, Collation>();

/** The collation of that name. Throws 448 for an unknown one. */
export function collation(name: string, line: number = LINE_OF_STATEMENT): Collation {
  let found = known.get(name);
  if (found === undefined) {
    found = makeCollation(name, line);
    known.set(name, found);
  }
  return found;
}

function makeCollation(name: string, line: number): Collation {
  const parts = parseCollationName(name);
  if (parts === undefined) throw new SqlFailure(448, `Invalid collation '${name}'.`, { line });
  if (parts.binary) return { name, key: withoutTrailingSpaces, fold: (text) => text, compare: compareUnits };
  const fold = folding(parts);
  const key = (text: string): string => fold(withoutTrailingSpaces(text));
  const collator = new Intl.Collator('en', { sensitivity: sensitivity(parts), caseFirst: 'lower' });
  const compare = (left: string, right: string): number => {
    if (left === right) return 0;
    const [a, b] = [key(left), key(right)];
    if (a === b) return 0;
    return collator.compare(a, b) || compareUnits(a, b);
  };
  return { name, key, fold, compare };
}

function sensitivity({
  caseSensitive,
  accentSensitive,
}: CollationName): 'variant' | 'case' | 'accent' | 'base' {
  if (caseSensitive) return accentSensitive ? 'variant' : 'case';
  return accentSensitive ? 'accent' : 'base';
}

export function withoutTrailingSpaces(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return end === text.length ? text : text.slice(0, end);
}

const PLAIN = /^[\x20-\x7e]*$/;
/** Letters that the collations of Windows take for two. */
const EXPANSIONS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  þ: 'th',
  Þ: 'TH',
};
const EXPANDED = /[ßæÆœŒþÞ]/g;
const KATAKANA = /[\u30a1-\u30f6]/g;
const TO_HIRAGANA = 0x60;
const OTHER_WIDTHS = /[\u3000\uff01-\uffee]+/g;

/** Makes texts that are equal the same. */
function folding(name: CollationName): (text: string) => string {
  const { caseSensitive, accentSensitive, kanaSensitive, widthSensitive, old } = name;
  const turkish = name.language.toLowerCase() === 'turkish';
  const lower = (text: string): string => (turkish ? text.toLocaleLowerCase('tr') : text.toLowerCase());
  return (text) => {
    if (PLAIN.test(text)) return caseSensitive ? text : lower(text);
    let folded = text.normalize('NFC');
    if (!widthSensitive) folded = folded.replace(OTHER_WIDTHS, (wide) => wide.normalize('NFKC'));
    if (!kanaSensitive)
      folded = folded.replace(KATAKANA, (kana) => String.fromCharCode(kana.charCodeAt(0) - TO_HIRAGANA));
    if (!old) folded = folded.replace(EXPANDED, (letter) => EXPANSIONS[letter]!);
    if (!accentSensitive)
      folded = folded
        .normalize('NFD')
        .replace(/\p{M}/gu, '')
        .replaceAll('ı', turkish ? 'ı' : 'i');
    return caseSensitive ? folded : lower(folded);
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
