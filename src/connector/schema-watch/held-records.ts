/**
 * The records of held changes in the replica store, one an object. Those of the classes that run are in memory too, for
 * the shadows that they cast.
 */
import { keyFromToken, keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { type HeldRecord, isEmpty, mapSequences, parseRecord } from './held-record.ts';

const OBJECT_MARK = 'held:object:';
/** Sequence up to which the feed has shown the batches of a realm. */
const ECHO_MARK = 'held:echoed:';

export type HeldObject = { readonly table: string; readonly key: PrimaryKey; readonly record: HeldRecord };

export class HeldRecords {
  readonly #options: {
    readonly store: ReplicaStore;
    readonly isStopped: (className: string) => boolean;
  };
  /** By realm path and mark, of the classes that run: what casts a shadow. */
  readonly #live = new Map<string, Map<string, HeldObject>>();
  /** Sequence of the last batch known to be committed, by realm path. */
  readonly #applied: Map<string, number>;

  constructor(
    options: { readonly store: ReplicaStore; readonly isStopped: (className: string) => boolean },
    applied: ReadonlyMap<string, number>,
  ) {
    this.#options = options;
    this.#applied = new Map(applied);
    this.read();
  }

  get isEmpty(): boolean {
    for (const objects of this.#live.values()) if (objects.size > 0) return false;
    return true;
  }

  /** What waits of a realm, or is under way, of the classes that run. */
  live(path: string): Iterable<HeldObject> {
    return this.#live.get(path)?.values() ?? [];
  }

  liveOf(path: string, table: string, key: PrimaryKey): HeldObject | undefined {
    return this.#live.get(path)?.get(markOf(path, table, key));
  }

  /** The class does not run any more. */
  stop(className: string): void {
    for (const objects of this.#live.values())
      for (const [name, object] of objects) if (object.table === className) objects.delete(name);
  }

  /** What is written up to this sequence is committed in SQL. */
  applied(path: string, sequence: number): void {
    this.#applied.set(path, Math.max(sequence, this.#applied.get(path) ?? 0));
  }

  /** The feed has shown what was written up to this sequence. Call inside the store's transaction. */
  echoed(path: string, sequence: number): void {
    this.applied(path, sequence);
    this.#options.store.setMark(ECHO_MARK + path, String(sequence));
    this.change(path, (before) => (before > 0 && before <= sequence ? undefined : before));
  }

  /** Changes the sequences of what waits of a realm. */
  change(path: string, change: (sequence: number) => number | undefined): void {
    this.#options.store.transaction(() => {
      for (const { table, key, record } of [...(this.#live.get(path)?.values() ?? [])]) {
        const before = JSON.stringify(record);
        mapSequences(record, change);
        if (JSON.stringify(record) !== before) this.write(path, table, key, record);
      }
    });
  }

  recordOf(path: string, table: string, key: PrimaryKey): HeldRecord | undefined {
    const name = markOf(path, table, key);
    const live = this.#live.get(path)?.get(name);
    if (live !== undefined) return live.record;
    if (!this.#options.isStopped(table)) return undefined;
    const text = this.#options.store.mark(name);
    return text === undefined ? undefined : parseRecord(text);
  }

  write(path: string, table: string, key: PrimaryKey, record: HeldRecord): void {
    const name = markOf(path, table, key);
    const empty = isEmpty(record);
    this.#options.store.setMark(name, empty ? undefined : JSON.stringify(record));
    if (this.#options.isStopped(table)) return;
    let objects = this.#live.get(path);
    if (objects === undefined) {
      objects = new Map();
      this.#live.set(path, objects);
    }
    if (empty) objects.delete(name);
    else objects.set(name, { table, key, record });
  }

  /** Takes the records of classes that run into memory; what was under way and is not committed waits again. */
  read(only?: string): void {
    for (const [name, text] of this.#options.store.marks(OBJECT_MARK)) {
      const [path, table, token] = partsOf(name);
      if (this.#options.isStopped(table) || (only !== undefined && table !== only)) continue;
      const record = parseRecord(text);
      const applied = this.#applied.get(path) ?? 0;
      const echoed = Number(this.#options.store.mark(ECHO_MARK + path) ?? 0);
      mapSequences(record, (sequence) => {
        if (sequence > applied) return 0;
        return sequence > 0 && sequence <= echoed ? undefined : sequence;
      });
      if (isEmpty(record)) continue;
      const objects = this.#live.get(path) ?? new Map<string, HeldObject>();
      objects.set(name, { table, key: keyFromToken(token), record });
      this.#live.set(path, objects);
    }
  }

  /** Its insertion or deletion is not known to be committed. */
  rowWaits(path: string, record: HeldRecord | undefined): boolean {
    if (record?.row === undefined) return false;
    return record.row.sequence === 0 || record.row.sequence > (this.#applied.get(path) ?? 0);
  }
}

export function isInsertion({ row }: HeldRecord): boolean {
  return row?.operation === 'insert' || row?.operation === 'replace';
}

/** Names the objects of a realm as {@link markOf} does. */
export function nameOf(path: string): (object: HeldObject) => string {
  return ({ table, key }) => markOf(path, table, key);
}

export function markOf(path: string, table: string, key: PrimaryKey): string {
  return OBJECT_MARK + JSON.stringify([path, table, keyToken(key)]);
}

function partsOf(mark: string): [path: string, table: string, token: string] {
  const parts: unknown = JSON.parse(mark.slice(OBJECT_MARK.length));
  if (!Array.isArray(parts)) throw new RangeError(`not the mark of a held change: ${mark}`);
  const [path, table, token] = parts.map(String);
  return [path ?? '', table ?? '', token ?? ''];
}
