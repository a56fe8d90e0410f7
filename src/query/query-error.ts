/** What is wrong with the text of a query, and where. */
import { IsthmusError } from '../errors.ts';

/** Of a long text only the neighbourhood of the trouble is shown. */
const SHOWN_BEFORE = 30;
const SHOWN_AFTER = 20;

/** A syntax or type error in a query of the Realm Query Language. */
export class QueryError extends IsthmusError {
  readonly code = 'query';
  /** Offset in the text, in UTF-16 units from 0, where the trouble starts. */
  readonly position: number;
  /** What is wrong, without the place. */
  readonly reason: string;

  constructor(text: string, position: number, reason: string) {
    super(`${reason} (${place(text, position)})`);
    this.position = position;
    this.reason = reason;
  }
}

function place(text: string, position: number): string {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - (before.lastIndexOf('\n') + 1) + 1;
  const where = line === 1 ? `column ${column}` : `line ${line}, column ${column}`;
  const from = Math.max(0, position - SHOWN_BEFORE);
  const to = Math.min(text.length, position + SHOWN_AFTER);
  const head = `${from > 0 ? '…' : ''}${text.slice(from, position)}`;
  const tail = `${text.slice(position, to)}${to < text.length ? '…' : ''}`;
  return tail === '' ? `at ${where}, at the end of: ${head}` : `at ${where}: ${head} ⟶ ${tail}`;
}
