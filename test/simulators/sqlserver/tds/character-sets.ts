/** The one collation that the server speaks of on the wire, and how its `char` and `varchar` values are coded. */

/** SQL_Latin1_General_CP1_CI_AS: English, no case, accents matter, sort order 52. */
export const COLLATION = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x34]);
export const COLLATION_LENGTH = COLLATION.length;

const UTF8_FLAG = 0x04;
const REPLACEMENT = '?'.charCodeAt(0);

const decoder = new TextDecoder('windows-1252');
const codes = new Map(
  Array.from({ length: 256 }, (_, code) => [decoder.decode(Uint8Array.of(code)), code] as const),
);

/** Text in code page 1252; what it does not have becomes a question mark, as SQL Server does it. */
export function encodeCodePage(text: string): Buffer {
  const result = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (const character of text) {
    // A character outside of the basic plane is two code units, thus two question marks.
    for (let unit = 0; unit < character.length; unit++)
      result[length++] = codes.get(character) ?? REPLACEMENT;
  }
  return result;
}

export type CharacterSet = 'utf16' | 'codePage' | 'utf8';

export function characterSetOf(collation: Buffer): CharacterSet {
  return ((collation[3] ?? 0) & UTF8_FLAG) === 0 ? 'codePage' : 'utf8';
}

export function decodeCharacters(bytes: Buffer, characterSet: CharacterSet): string {
  switch (characterSet) {
    case 'utf16':
      return bytes.toString('utf16le');
    case 'utf8':
      return bytes.toString('utf8');
    case 'codePage':
      return decoder.decode(bytes);
  }
}
