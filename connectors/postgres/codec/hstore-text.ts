/** Texts of `hstore`: `"a"=>"1", "b"=>NULL`. */
import { DataError } from '../../../src/connector/errors.ts';

const PAIR = /"((?:[^"\\]|\\.)*)"=>(?:"((?:[^"\\]|\\.)*)"|(NULL))(?:, |$)/gsy;

/** Throws `DataError` on text that is no hstore. */
export function parseHstore(text: string): Map<string, string | null> {
  const pairs = new Map<string, string | null>();
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const at = PAIR.lastIndex;
    const match = PAIR.exec(text);
    if (match === null) throw new DataError(`it is no hstore at character ${at + 1}`);
    pairs.set(plain(match[1] ?? ''), match[2] === undefined ? null : plain(match[2]));
  }
  return pairs;
}

export function formatHstore(pairs: ReadonlyMap<string, string | null>): string {
  const texts = [...pairs].map(
    ([name, value]) => `${quoted(name)}=>${value === null ? 'NULL' : quoted(value)}`,
  );
  return texts.join(', ');
}

function plain(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/gs, '$1') : text;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
