/** Plays the clients of a recorded history to a server realm, one message at a time. */
import { expect } from 'vitest';
import type { ColumnDefinition } from '../../../src/schema/definition.ts';
import type { PrimaryKey } from '../../../src/schema/value.ts';
import type { DownloadCursor, ServerRealm } from '../../../src/store/server/contract.ts';
import { readField } from '../../../src/store/state/default-value.ts';
import type { ObjectState, StateValue } from '../../../src/store/state/object-state.ts';
import { inServerOrder, type RecordedHistory, recordedForm, uploadOf } from './recorded-histories.ts';

/** What the comparison with the recorded final state reads. */
export type RealmAtRest = Pick<ServerRealm, 'schema' | 'object' | 'objects'>;

const SOFT_LIMIT = 16 * 1024 * 1024;

export class Replay {
  readonly #history: RecordedHistory;
  readonly #messages;
  readonly #idents = new Map<number, number>();
  readonly #cursors = new Map<number, DownloadCursor>();
  #next = 0;

  constructor(history: RecordedHistory) {
    this.#history = history;
    this.#messages = inServerOrder(history.messages);
  }

  get name(): string {
    return this.#history.name;
  }

  /** Plays the next message and compares the answer with the recorded one. Returns false when there is none left. */
  async step(realm: ServerRealm): Promise<boolean> {
    const message = this.#messages[this.#next];
    if (message === undefined) return false;
    this.#next += 1;
    const ident = this.#idents.get(message.client) ?? 0;
    const place = `${this.name}, message ${this.#next} (${message.kind} of client ${message.client})`;
    switch (message.kind) {
      case 'ident': {
        const { fileIdent } = await realm.allocateClientFile();
        expect(fileIdent, place).toBe(message.fileIdent);
        this.#idents.set(message.client, fileIdent);
        break;
      }
      case 'upload':
        await realm.integrate(ident, uploadOf(message));
        break;
      case 'download': {
        const from = this.#cursors.get(message.client) ?? { serverVersion: 0, clientVersion: 0 };
        const batch = await realm.download(ident, from, SOFT_LIMIT);
        this.#cursors.set(message.client, batch.cursor);
        expect(recordedForm(message.client, batch), place).toEqual(message);
        break;
      }
    }
    return true;
  }

  /** Compares the realm with what every client held at the end. */
  async compareFinalState(realm: RealmAtRest): Promise<void> {
    for (const [table, expected] of Object.entries(this.#history.finalState)) {
      const actual: Record<string, unknown>[] = [];
      for await (const batch of realm.objects(table)) {
        for (const { key, state } of batch) actual.push(await recordedObject(realm, table, key, state));
      }
      expect(actual, `${this.name}, ${table}`).toEqual(expected.map(withSizeOfTags));
    }
  }
}

/** The recorder lost the text of list elements: only the sizes of these lists are known. */
function withSizeOfTags(object: Record<string, unknown>): Record<string, unknown> {
  return Array.isArray(object.tags) ? { ...object, tags: object.tags.map(() => null) } : object;
}

async function recordedObject(
  realm: RealmAtRest,
  table: string,
  key: PrimaryKey,
  state: ObjectState,
): Promise<Record<string, unknown>> {
  const object: Record<string, unknown> = { _id: plainKey(key) };
  for (const [field, column] of realm.schema.get(table)?.columns ?? []) {
    object[field] = await plain(realm, column, readField(state, field, column));
  }
  return withSizeOfTags(object);
}

function plainKey(key: PrimaryKey): number | string {
  if (key.type === 'int') return Number(key.value);
  if (key.type === 'string') return key.value;
  throw new Error(`the recordings have no keys of type ${key.type}`);
}

/** A value as the recorder wrote it: links by key, those to erased objects left out of lists. */
async function plain(realm: RealmAtRest, column: ColumnDefinition, value: StateValue): Promise<unknown> {
  switch (value.type) {
    case 'null':
      return null;
    case 'int':
      return Number(value.value);
    case 'date':
      return {
        $date: new Date(Number(value.seconds) * 1000 + Math.trunc(value.nanoseconds / 1e6)).toISOString(),
      };
    case 'link': {
      if ((await realm.object(value.table, value.key)) === undefined) return null;
      return plainKey(value.key);
    }
    case 'list': {
      const items = await Promise.all(value.items.map((item) => plain(realm, column, item)));
      return column.type === 'link' ? items.filter((item) => item !== null) : items;
    }
    case 'set': {
      const items = await Promise.all([...value.items.values()].map((item) => plain(realm, column, item)));
      return items.sort((a, b) => Number(a) - Number(b));
    }
    case 'dictionary': {
      const entries = [...value.entries].map(async ([key, entry]) => [
        key,
        await plain(realm, column, entry),
      ]);
      return Object.fromEntries(await Promise.all(entries));
    }
    case 'object': {
      const object: Record<string, unknown> = {};
      for (const [field, inner] of realm.schema.get(column.linkTarget ?? '')?.columns ?? []) {
        object[field] = await plain(realm, inner, readField(value, field, inner));
      }
      return object;
    }
    case 'double':
    case 'float':
    case 'bool':
    case 'string':
      return value.value;
    default:
      throw new Error(`the recordings have no ${value.type}`);
  }
}
