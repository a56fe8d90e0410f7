/**
 * Parses COPY's text format (PostgreSQL documentation, "COPY", "Text Format"). Chunks may end anywhere; each is decoded
 * as a whole up to its last line end, because splitting one long text is several times faster than walking bytes.
 */
import type { SqlText } from '../../../src/connector/dialect.ts';

export type CopyRow = readonly SqlText[];

const LINE_FEED = 0x0a;
const NULL_MARK = '\\N';
const ESCAPE = /\\(.)/gs;
const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

export class CopyTextParser {
  /** Bytes of a line whose end has not come yet. */
  #rest: Buffer[] = [];

  /** Appends the rows that `chunk` completes to `rows`. */
  push(chunk: Buffer, rows: CopyRow[]): void {
    const end = chunk.lastIndexOf(LINE_FEED);
    if (end < 0) {
      if (chunk.length > 0) this.#rest.push(chunk);
      return;
    }
    const whole = chunk.subarray(0, end);
    const text =
      this.#rest.length === 0
        ? whole.toString('utf8')
        : Buffer.concat([...this.#rest, whole]).toString('utf8');
    this.#rest = end + 1 === chunk.length ? [] : [chunk.subarray(end + 1)];
    const escapes = text.includes('\\');
    for (const line of text.split('\n')) {
      const cells: SqlText[] = line.split('\t');
      if (escapes && line.includes('\\')) unescapeCells(cells);
      rows.push(cells);
    }
  }

  /** True when the data ended in the midst of a line. */
  get incomplete(): boolean {
    return this.#rest.length > 0;
  }
}

function unescapeCells(cells: SqlText[]): void {
  for (let index = 0; index < cells.length; index += 1) {
    const cell = cells[index];
    if (cell === undefined || cell === null || !cell.includes('\\')) continue;
    cells[index] =
      cell === NULL_MARK ? null : cell.replace(ESCAPE, (_all, letter: string) => ESCAPED[letter] ?? letter);
  }
}
