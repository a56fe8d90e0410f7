import type { Instruction } from '../../changeset/instruction.ts';
import { schemaInstructions } from '../../changeset/schema-difference.ts';
import { classDefinitions } from '../../schema/definitions.ts';
import { parseSchema } from '../../schema/notation.ts';
import type { ObjectSchema } from '../../schema/object-schema.ts';
import { keyFromJs } from '../../schema/value-conversion.ts';
import { Accessors } from './accessors.ts';
import type { UpdateMode } from './assign.ts';
import { EmbeddedHolder, TopLevelHolder } from './place.ts';
import { RealmCore, type RealmReader } from './realm-core.ts';
import { RealmUsageError } from './realm-error.ts';
import type { RealmObject } from './realm-object.ts';
import { RealmSubscriptions, type SubscriptionAccess, type SubscriptionSet } from './realm-subscriptions.ts';
import type { RealmResults } from './results.ts';
import { WriteTransaction } from './write-transaction.ts';

export type ObjectRealmOptions = {
  /** The realm's committed state; it must show what was handed to `write` as soon as that returns. */
  readonly reader: RealmReader;
  /** Takes the instructions of one committed transaction, for example `replica.write`. */
  readonly write: (instructions: readonly Instruction[]) => unknown;
  /** Classes in the Realm JS notation. What the realm lacks of them is added when it is opened. */
  readonly schema: readonly unknown[];
  /** Given for a realm of flexible sync. */
  readonly subscriptions?: SubscriptionAccess;
};

/** A created or found object as the program types it; without a type, properties are `unknown` and assignable. */
export type Live<T> = T & RealmObject;
export type AnyProperties = Record<string, unknown>;

/**
 * Objects instead of instructions: the API of the Realm SDK over a replica. Everything is synchronous; objects, lists
 * and results are live, and change only inside a write transaction, which emits what a real client would emit
 * (changeset-format.md §8).
 */
export class ObjectRealm {
  readonly #core: RealmCore;
  readonly #accessors: Accessors;
  readonly #write: (instructions: readonly Instruction[]) => unknown;

  /** Throws `SchemaError` when the schema is wrong or contradicts what the realm holds. */
  constructor({ reader, write, schema, subscriptions }: ObjectRealmOptions) {
    const schemas = parseSchema(schema);
    this.#core = new RealmCore(reader, new Map(schemas.map((parsed) => [parsed.name, parsed])));
    this.#accessors = new Accessors(this.#core);
    this.#write = write;
    if (subscriptions !== undefined)
      this.#core.subscriptions = new RealmSubscriptions(this.#core, subscriptions);
    const additions = schemaInstructions(reader.schema, classDefinitions(schemas));
    if (additions.length > 0) write(additions);
  }

  get schema(): readonly ObjectSchema[] {
    return [...this.#core.schemas.values()];
  }

  /** The latest set of subscriptions. Throws `RealmUsageError` in a realm that is not one of flexible sync. */
  get subscriptions(): SubscriptionSet {
    return this.#core.flexible().latest();
  }

  get isInTransaction(): boolean {
    return this.#core.transaction !== undefined;
  }

  get isClosed(): boolean {
    return this.#core.closed;
  }

  get isEmpty(): boolean {
    return [...this.#core.schemas.values()].every(
      ({ kind, name }) => kind === 'embedded' || this.#core.count(name) === 0,
    );
  }

  /** Runs `change` in a transaction. When it throws, nothing is changed and the error travels on. */
  write<T>(change: () => T): T {
    this.beginTransaction();
    let result: T;
    try {
      result = change();
    } catch (error) {
      this.cancelTransaction();
      throw error;
    }
    // A program may have ended the transaction itself.
    if (this.isInTransaction) this.commitTransaction();
    return result;
  }

  beginTransaction(): void {
    this.#core.checkOpen();
    if (this.isInTransaction) {
      throw new RealmUsageError('a write transaction is open already', {
        remedy: 'commit or cancel it first',
      });
    }
    this.#core.transaction = new WriteTransaction(this.#core.reader, this.#core.subscriptions?.classes());
  }

  /** Hands the instructions over; a transaction without instructions leaves no trace. */
  commitTransaction(): void {
    const { instructions } = this.#core.writing();
    this.#core.transaction = undefined;
    if (instructions.length > 0) this.#write(instructions);
  }

  cancelTransaction(): void {
    this.#core.transaction = undefined;
  }

  /**
   * Creates an object; with mode `all` or `modified` (only changed properties), updates the one that has this key
   * already. Objects of asymmetric classes are for the server alone: do not read them after the transaction.
   */
  create<T = AnyProperties>(
    className: string,
    values: Readonly<Record<string, unknown>>,
    mode: UpdateMode = 'never',
  ): Live<T> {
    const schema = this.#core.schema(className);
    const key = this.#accessors.create(schema, values, mode);
    return this.#accessors.object(schema, key) as Live<T>;
  }

  objectForPrimaryKey<T = AnyProperties>(className: string, key: unknown): Live<T> | null {
    const schema = this.#core.schema(className);
    const definition = this.#core.reader.schema.get(className)?.primaryKey;
    if (definition === undefined) throw new RealmUsageError(`class ${className} has no primary key`);
    const primaryKey = keyFromJs(key, definition);
    if (this.#core.state(className, primaryKey) === undefined) return null;
    return this.#accessors.object(schema, primaryKey) as Live<T>;
  }

  objects<T = AnyProperties>(className: string): RealmResults<Live<T>> {
    const { kind } = this.#core.schema(className);
    if (kind !== 'topLevel') {
      throw new RealmUsageError(`objects of class ${className} cannot be listed: it is ${kind}`);
    }
    return this.#accessors.objects(className) as unknown as RealmResults<Live<T>>;
  }

  /** Deletes an object, or every object of an array, a list or results. */
  delete(subject: unknown): void {
    const transaction = this.#core.writing();
    if (typeof subject === 'object' && subject !== null && Symbol.iterator in subject) {
      for (const object of [...(subject as Iterable<unknown>)]) this.delete(object);
      return;
    }
    const holder = this.#accessors.holderOf(subject);
    if (holder instanceof TopLevelHolder) {
      if (holder.fields() === undefined) {
        throw new RealmUsageError(`this object of class ${holder.schema.name} was deleted already`);
      }
      transaction.delete(holder.schema.name, holder.key);
    } else if (holder instanceof EmbeddedHolder) {
      this.#deleteEmbedded(holder);
    } else {
      throw new RealmUsageError('only objects of this realm can be deleted');
    }
  }

  /** Deletes the objects of every class of the schema. */
  deleteAll(): void {
    this.#core.writing();
    for (const name of this.#core.reader.schema.keys()) {
      if (this.#core.schemas.get(name)?.kind === 'topLevel') this.delete(this.#accessors.objects(name));
    }
  }

  /** Cancels an open transaction. Accessors of a closed realm throw. */
  close(): void {
    this.cancelTransaction();
    this.#core.closed = true;
  }

  #deleteEmbedded({ place }: EmbeddedHolder): void {
    const transaction = this.#core.writing();
    const address = place.address();
    if (place.kind === 'item') {
      transaction.emit({ op: 'ArrayErase', ...address, priorSize: place.size() });
    } else {
      const value = place.kind === 'entry' ? ({ type: 'erased' } as const) : ({ type: 'null' } as const);
      transaction.emit({ op: 'Update', ...address, value, isDefault: false });
    }
  }
}
