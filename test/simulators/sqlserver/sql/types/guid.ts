/** uniqueidentifier as text and as bytes, of which the first three groups lie in reverse. */
import { conversionFailure } from './conversion-context.ts';

const LENGTH = 36;
const FORM = /^[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$/i;
/** The byte of the binary form at which each pair of digits lies. */
const BYTE_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** What is longer than a uniqueidentifier is cut; braces around it are allowed. */
export function parseGuid(text: string): string {
  const bare = text.startsWith('{') && text[LENGTH + 1] === '}' ? text.slice(1) : text;
  const candidate = bare.slice(0, LENGTH);
  if (FORM.test(candidate)) return candidate.toUpperCase();
  throw conversionFailure(
    8169,
    'Conversion failed when converting from a character string to uniqueidentifier.',
    2,
  );
}

export function guidBytes(text: string): Uint8Array {
  const digits = text.replaceAll('-', '');
  const bytes = new Uint8Array(BYTE_ORDER.length);
  BYTE_ORDER.forEach((to, at) => {
    bytes[to] = Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16);
  });
  return bytes;
}

export function guidText(bytes: Uint8Array): string {
  const digits = BYTE_ORDER.map((from) => (bytes[from] ?? 0).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join('-');
}
