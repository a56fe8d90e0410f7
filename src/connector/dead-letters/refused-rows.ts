/**
 * Rows that no realm value can hold (`toRealm` letters). That a row was refused, and that it was mended, is noted in the
 * replica store together with the position of the feed, so that neither is forgotten in a crash; the letters in the
 * database follow. What is mended has no letter any more.
 */
import { z } from 'zod';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { tableId } from '../dialect.ts';
import type { ClassMapping } from '../mapping/class-mapping.ts';
import type { DeadLetterBox, NewLetter } from './contract.ts';

const MARK = 'refused:';
/** A column that fits no row at all must not fill memory; what comes after is logged only. */
const MOST_REFUSED = 10_000;
/** Letters written or removed before anything else has its turn. */
const FLUSH_BATCH = 100;

const noteSchema = z.object({
  class: z.string(),
  reason: z.string(),
  state: z.enum(['new', 'kept', 'mended']),
});
type Note = z.infer<typeof noteSchema>;

const payloadSchema = z.object({ table: z.string(), key: z.array(z.string()) });
/** What the letter of a row holds: its table, as {@link tableId} writes it, and its key. */
export type RowPayload = z.infer<typeof payloadSchema>;

/** `undefined` for text that is no payload of a row. */
export function readRowPayload(text: string): RowPayload | undefined {
  try {
    return payloadSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export class RefusedRows {
  readonly #store: ReplicaStore;
  readonly #notes = new Map<string, Note['state']>();
  #changed = false;

  constructor(store: ReplicaStore) {
    this.#store = store;
    this.reload();
  }

  /** After a transaction of the store was rolled back: what it noted did not happen. */
  reload(): void {
    this.#notes.clear();
    for (const [name, text] of this.#store.marks(MARK)) {
      const { state } = noteSchema.parse(JSON.parse(text));
      this.#notes.set(name, state);
      this.#changed ||= state !== 'kept';
    }
  }

  /** Call inside the store's transaction. Returns false when there are too many to keep another. */
  refuse({ className, table }: ClassMapping, key: readonly string[], reason: string): boolean {
    const name = markOf({ table: tableId(table.table), key: [...key] });
    if (!this.#notes.has(name) && this.#notes.size >= MOST_REFUSED) return false;
    this.#note(name, { class: className, reason, state: 'new' });
    return true;
  }

  /** The row is as the realm can hold it, or gone. Call inside the store's transaction. */
  mended({ table }: ClassMapping, key: readonly string[]): void {
    if (this.#notes.size === 0) return;
    this.#mend(markOf({ table: tableId(table.table), key: [...key] }));
  }

  /** All rows of the table are gone. Call inside the store's transaction. */
  tableEmptied({ table }: ClassMapping): void {
    if (this.#notes.size === 0) return;
    const id = tableId(table.table);
    for (const name of [...this.#notes.keys()]) if (rowOf(name).table === id) this.#mend(name);
  }

  /** Brings the letters up to what is noted. A failure leaves the rest for the next time. */
  async flush(box: DeadLetterBox): Promise<void> {
    if (!this.#changed) return;
    const due = [...this.#notes].filter(([, state]) => state !== 'kept');
    for (const [name] of due.slice(0, FLUSH_BATCH)) await this.#flushOne(box, name);
    this.#changed = [...this.#notes.values()].some((state) => state !== 'kept');
  }

  get isFlushed(): boolean {
    return !this.#changed;
  }

  get isEmpty(): boolean {
    return this.#notes.size === 0;
  }

  async #flushOne(box: DeadLetterBox, name: string): Promise<void> {
    const text = this.#store.mark(name);
    if (text === undefined) return;
    const note = noteSchema.parse(JSON.parse(text));
    if (note.state === 'mended') await box.removeRow(name);
    else await box.keepRow(name, letterOf(rowOf(name), note));
    if (this.#store.mark(name) !== text) return; // it has changed meanwhile; the next time brings that
    this.#store.transaction(() => {
      if (note.state === 'mended') {
        this.#notes.delete(name);
        this.#store.setMark(name, undefined);
      } else {
        this.#notes.set(name, 'kept');
        this.#store.setMark(name, JSON.stringify({ ...note, state: 'kept' }));
      }
    });
  }

  #mend(name: string): void {
    if (!this.#notes.has(name) || this.#notes.get(name) === 'mended') return;
    this.#note(name, { class: '', reason: '', state: 'mended' });
  }

  #note(name: string, note: Note): void {
    this.#notes.set(name, note.state);
    this.#changed = true;
    this.#store.setMark(name, JSON.stringify(note));
  }
}

function letterOf(row: RowPayload, note: Note): NewLetter {
  return {
    direction: 'toRealm',
    realmPath: '',
    sequence: 0,
    objects: [{ class: note.class, key: row.key.join('-') }],
    reason: { message: note.reason, table: row.table },
    payload: JSON.stringify(row),
    statements: [],
  };
}

function markOf(row: RowPayload): string {
  return MARK + JSON.stringify([row.table, ...row.key]);
}

function rowOf(mark: string): RowPayload {
  const [table = '', ...key] = z.array(z.string()).parse(JSON.parse(mark.slice(MARK.length)));
  return { table, key };
}
