/** What char and varchar can hold: the code page of the collation, or UTF-8 where the collation says so. */
import { codePageTable } from './code-page-tables.ts';
import { parseCollationName, UTF8_CODE_PAGE } from './collation-names.ts';

/** What code pages put in place of letters that have no decomposition. */
const BEST_FIT: Readonly<Record<string, string>> = {
  Đ: 'D',
  đ: 'd',
  Ħ: 'H',
  ħ: 'h',
  ı: 'i',
  Ł: 'L',
  ł: 'l',
  Ŧ: 'T',
  ŧ: 't',
  '−': '-',
  '′': "'",
  '″': '"',
};
const FIRST_HIGH = 0x80;
const DEFAULT_CODE_PAGE = 1252;
const BEYOND_ASCII = /[\u0080-\uffff]/;
const codePages = new Map<string, number>();

/** The number of the collation's code page; 65001 is UTF-8. */
export function codePageOf(collation: string): number {
  let codePage = codePages.get(collation);
  if (codePage === undefined) {
    codePage = parseCollationName(collation)?.codePage ?? DEFAULT_CODE_PAGE;
    codePages.set(collation, codePage);
  }
  return codePage;
}

/** The text as it is after it went through a varchar of the collation: what the code page lacks is `?` or a near letter. */
export function throughCodePage(text: string, collation: string): string {
  if (!BEYOND_ASCII.test(text)) return text;
  const codePage = codePageOf(collation);
  if (codePage === UTF8_CODE_PAGE) return text.toWellFormed();
  let result = '';
  for (let i = 0; i < text.length; i++) result += nearest(text[i]!, codePage);
  return result;
}

function nearest(character: string, codePage: number): string {
  if (character.charCodeAt(0) < FIRST_HIGH || codePageTable(codePage).bytes.has(character)) return character;
  const near = BEST_FIT[character] ?? character.normalize('NFKD')[0]!;
  return near !== character && near.charCodeAt(0) < FIRST_HIGH ? near : '?';
}

/** The bytes of text in a varchar. */
export function encodeVarchar(text: string, collation: string): Uint8Array {
  const codePage = codePageOf(collation);
  if (codePage === UTF8_CODE_PAGE) return new Uint8Array(Buffer.from(text, 'utf8'));
  const { bytes } = codePageTable(codePage);
  const result: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = nearest(text[i]!, codePage);
    const codes = bytes.get(character);
    if (codes === undefined) result.push(character.charCodeAt(0));
    else result.push(...codes);
  }
  return Uint8Array.from(result);
}

export function decodeVarchar(bytes: Uint8Array, collation: string): string {
  return codePageTable(codePageOf(collation)).decoder.decode(bytes);
}

/** Bytes that the text takes in a varchar of the collation. */
export function varcharBytes(text: string, collation: string): number {
  if (!BEYOND_ASCII.test(text)) return text.length;
  const codePage = codePageOf(collation);
  if (codePage === UTF8_CODE_PAGE) return Buffer.byteLength(text, 'utf8');
  const { bytes } = codePageTable(codePage);
  let count = 0;
  for (let i = 0; i < text.length; i++) count += bytes.get(text[i]!)?.length ?? 1;
  return count;
}

/** The longest beginning of `text` that takes at most `limit` bytes, never half a character. */
export function cutToBytes(text: string, limit: number, collation: string): string {
  if (!BEYOND_ASCII.test(text)) return text.slice(0, limit);
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += varcharBytes(character, collation);
    if (used > limit) break;
    end += character.length;
  }
  return text.slice(0, end);
}
