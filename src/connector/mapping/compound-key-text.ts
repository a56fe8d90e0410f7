/**
 * Keys of several columns as one text: the parts joined by a hyphen, as in `2-3` (reference, "compound primary keys").
 * Parts with hyphens of their own stay as they are where the types of the parts still tell one from the other. Where
 * they do not, as in `a` and `b-c` beside `a-b` and `c`, hyphens and backslashes inside of parts follow a backslash.
 */
import type { CompoundKeyPart } from '../options.ts';

const SEPARATOR = '-';
const ESCAPE = '\\';

type PartType = CompoundKeyPart['type'];

export class CompoundKeyText {
  readonly #whole: RegExp;
  readonly #parts: readonly RegExp[];

  constructor(types: readonly PartType[]) {
    // Integers may be negative and UUIDs hold hyphens, so each part says what it looks like.
    const patterns = types.map((type) => PART_PATTERNS[type]);
    this.#whole = new RegExp(`^${patterns.map((pattern) => `(${pattern})`).join(SEPARATOR)}$`, 's');
    this.#parts = patterns.map((pattern) => new RegExp(`^${pattern}$`, 's'));
  }

  join(texts: readonly string[]): string {
    const plain = texts.join(SEPARATOR);
    if (!plain.includes(ESCAPE)) {
      if (texts.every((text) => !text.includes(SEPARATOR))) return plain;
      const split = this.#whole.exec(plain)?.slice(1);
      if (split === undefined || split.every((part, index) => part === texts[index])) return plain;
    }
    return texts.map((text) => text.replace(/[-\\]/g, `${ESCAPE}$&`)).join(SEPARATOR);
  }

  /** The inverse of {@link join}; undefined for texts that it did not make. */
  split(text: string): string[] | undefined {
    if (!text.includes(ESCAPE)) return this.#whole.exec(text)?.slice(1);
    const parts = unescaped(text);
    const fit =
      parts.length === this.#parts.length && parts.every((part, index) => this.#parts[index]?.test(part));
    return fit ? parts : undefined;
  }
}

function unescaped(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === SEPARATOR) {
      parts.push(part);
      part = '';
    } else if (character === ESCAPE) {
      index += 1;
      part += text[index] ?? '';
    } else part += character;
  }
  return [...parts, part];
}

const PART_PATTERNS: Record<PartType, string> = {
  int: '-?\\d+',
  uuid: '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}',
  objectId: '[0-9a-fA-F]{24}',
  string: '.*',
};
