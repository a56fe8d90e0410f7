/**
 * Which characters a code page has, and how many bytes each takes. The server itself would store `?`, or a letter that
 * looks alike, in place of a character that a column's collation lacks, without a word.
 */
import { DataError } from '../../../src/connector/errors.ts';

export const UTF8 = 65_001;

/** Names of the code pages of Windows in the platform's own decoder. */
const DECODERS: ReadonlyMap<number, string> = new Map([
  [874, 'windows-874'],
  [932, 'shift_jis'],
  [936, 'gbk'],
  [949, 'euc-kr'],
  [950, 'big5'],
  [1250, 'windows-1250'],
  [1251, 'windows-1251'],
  [1252, 'windows-1252'],
  [1253, 'windows-1253'],
  [1254, 'windows-1254'],
  [1255, 'windows-1255'],
  [1256, 'windows-1256'],
  [1257, 'windows-1257'],
  [1258, 'windows-1258'],
]);
const OF_TWO_BYTES: ReadonlySet<number> = new Set([932, 936, 949, 950]);

/** The upper halves of the two of MS-DOS that collations still have. */
const DOS: ReadonlyMap<number, string> = new Map([
  [
    437,
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  ],
  [
    850,
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
  ],
]);

/** Bytes of each character beyond ASCII. */
type Characters = ReadonlyMap<string, 1 | 2>;

const made = new Map<number, Characters | undefined>();

const BEYOND_ASCII = /[\u0080-\uffff]/;

/**
 * How many bytes a text takes in a code page. Throws `DataError` naming the first character that the code page has not.
 * A code page that is not known counts as one byte for each UTF-16 unit and is taken to have all characters.
 */
export function bytesIn(text: string, codePage: number | undefined, collation: string | undefined): number {
  if (!BEYOND_ASCII.test(text)) return text.length;
  if (codePage === UTF8) return Buffer.byteLength(text);
  const characters = codePage === undefined ? undefined : charactersOf(codePage);
  if (characters === undefined) return text.length;
  let bytes = 0;
  for (const character of text) {
    const size = character <= '\x7f' ? 1 : characters.get(character);
    if (size === undefined) throw lacking(character, codePage, collation);
    bytes += size;
  }
  return bytes;
}

/** Whether every character has a place; what has not could be escaped in a document. */
export function hasCharacter(character: string, codePage: number | undefined): boolean {
  if (codePage === UTF8 || character <= '\x7f') return true;
  const characters = codePage === undefined ? undefined : charactersOf(codePage);
  return characters === undefined || characters.has(character);
}

function lacking(character: string, codePage: number | undefined, collation: string | undefined): DataError {
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return new DataError(
    `the collation ${collation} (code page ${codePage}) has not the character ${JSON.stringify(character)} (${code})`,
    { remedy: 'make the column nvarchar, or give it a UTF-8 collation' },
  );
}

function charactersOf(codePage: number): Characters | undefined {
  if (!made.has(codePage)) made.set(codePage, makeCharacters(codePage));
  return made.get(codePage);
}

function makeCharacters(codePage: number): Characters | undefined {
  const dos = DOS.get(codePage);
  if (dos !== undefined) return new Map([...dos].map((character) => [character, 1]));
  const name = DECODERS.get(codePage);
  if (name === undefined) return undefined;
  const characters = new Map<string, 1 | 2>();
  const decoder = new TextDecoder(name);
  if (OF_TWO_BYTES.has(codePage)) {
    for (const character of decodedPairs(decoder)) characters.set(character, 2);
  }
  for (let byte = 0x80; byte <= 0xff; byte += 1) {
    const character = decoder.decode(Uint8Array.of(byte));
    if (character !== REPLACEMENT) characters.set(character, 1);
  }
  return characters;
}

const REPLACEMENT = '\ufffd';
const FIRST_TRAIL = 0x40;
const NEW_LINE = 0x0a;

/** The characters of all pairs of bytes, read at once; a new line is never part of a pair. */
function decodedPairs(decoder: InstanceType<typeof TextDecoder>): string[] {
  const bytes: number[] = [];
  for (let lead = 0x81; lead <= 0xfe; lead += 1)
    for (let trail = FIRST_TRAIL; trail <= 0xfe; trail += 1) bytes.push(lead, trail, NEW_LINE);
  return decoder
    .decode(Uint8Array.from(bytes))
    .split('\n')
    .filter((decoded) => [...decoded].length === 1 && decoded !== REPLACEMENT);
}
