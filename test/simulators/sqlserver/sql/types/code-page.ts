/** What char and varchar can hold: code page 1252, or UTF-8 where the collation says so. */

const SPECIAL = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
/** What the code page puts in place of letters that have no decomposition. */
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
const LATIN_HIGH = 0xa0;
const BEYOND_ASCII = /[\u0080-\uffff]/;

export function isUtf8Collation(collation: string): boolean {
  return /_UTF8$/i.test(collation);
}

/** The text as it is after it went through a varchar of the collation: what the code page lacks is `?` or a near letter. */
export function throughCodePage(text: string, collation: string): string {
  if (!BEYOND_ASCII.test(text)) return text;
  if (isUtf8Collation(collation)) return text.toWellFormed();
  let result = '';
  for (let i = 0; i < text.length; i++) result += nearest(text[i]!);
  return result;
}

function nearest(character: string): string {
  const code = character.charCodeAt(0);
  if (code < FIRST_HIGH || (code >= LATIN_HIGH && code <= 0xff) || SPECIAL.includes(character))
    return character;
  const near = BEST_FIT[character] ?? character.normalize('NFKD')[0]!;
  return near !== character && near.charCodeAt(0) < FIRST_HIGH ? near : '?';
}

/** The bytes of text in a varchar. */
export function encodeVarchar(text: string, collation: string): Uint8Array {
  if (isUtf8Collation(collation)) return new Uint8Array(Buffer.from(text, 'utf8'));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = nearest(text[i]!).charCodeAt(0);
    bytes[i] =
      code <= 0xff && (code < FIRST_HIGH || code >= LATIN_HIGH)
        ? code
        : FIRST_HIGH + SPECIAL.indexOf(text[i]!);
  }
  return bytes;
}

export function decodeVarchar(bytes: Uint8Array, collation: string): string {
  if (isUtf8Collation(collation)) return Buffer.from(bytes).toString('utf8');
  let text = '';
  for (const byte of bytes)
    text += byte < FIRST_HIGH || byte >= LATIN_HIGH ? String.fromCharCode(byte) : SPECIAL[byte - FIRST_HIGH];
  return text;
}

/** Bytes that the text takes in a varchar of the collation. */
export function varcharBytes(text: string, collation: string): number {
  return isUtf8Collation(collation) ? Buffer.byteLength(text, 'utf8') : text.length;
}

/** The longest beginning of `text` that takes at most `bytes`, never half a character. */
export function cutToBytes(text: string, bytes: number, collation: string): string {
  if (!isUtf8Collation(collation)) return text.slice(0, bytes);
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += Buffer.byteLength(character, 'utf8');
    if (used > bytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
