/** What the accessors of one realm share: its schema, the state as it is now, and the open write transaction. */
import type { ObjectSchema } from '../../schema/object-schema.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import type { ObjectState } from '../../store/state/object-state.ts';
import type { LinkTarget } from './link-places.ts';
import { RealmWorld } from './query-world.ts';
import { RealmUsageError } from './realm-error.ts';
import type { RealmSubscriptions } from './realm-subscriptions.ts';
import type { WriteTransaction } from './write-transaction.ts';

/** A realm as the object API reads it. */
export interface RealmReader extends ReplicaReader {
  /** As `QueryWorld.linking`. Without it, queries that follow inverse links read all objects of a class. */
  linking?(
    table: string,
    field: string,
    target: LinkTarget,
  ): Iterable<{ key: PrimaryKey; state: ObjectState }>;
  /** Objects that may hold links to the given one. Without it, deleting an object searches the classes that can. */
  incomingLinks?(table: string, key: PrimaryKey): Iterable<LinkTarget>;
}

export class RealmCore {
  readonly reader: RealmReader;
  readonly schemas: ReadonlyMap<string, ObjectSchema>;
  /** For queries. */
  readonly world = new RealmWorld(this);
  /** Present in realms of flexible sync. */
  subscriptions: RealmSubscriptions | undefined;
  transaction: WriteTransaction | undefined;
  closed = false;

  constructor(reader: RealmReader, schemas: ReadonlyMap<string, ObjectSchema>) {
    this.reader = reader;
    this.schemas = schemas;
  }

  state(table: string, key: PrimaryKey): ObjectState | undefined {
    this.checkOpen();
    return (this.transaction ?? this.reader).object(table, key);
  }

  objects(table: string): IterableIterator<{ key: PrimaryKey; state: ObjectState }> {
    this.checkOpen();
    return (this.transaction ?? this.reader).objects(table);
  }

  count(table: string): number {
    this.checkOpen();
    return (this.transaction ?? this.reader).count(table);
  }

  /** The open transaction; throws when there is none. */
  writing(): WriteTransaction {
    this.checkOpen();
    if (this.transaction === undefined) {
      throw new RealmUsageError('objects can only be changed inside a write transaction', {
        remedy: 'put the change into realm.write(() => …)',
      });
    }
    return this.transaction;
  }

  schema(className: string): ObjectSchema {
    const schema = this.schemas.get(className);
    if (schema !== undefined) return schema;
    throw new RealmUsageError(`the schema of this realm has no class '${className}'`, {
      remedy: `known classes are ${[...this.schemas.keys()].join(', ')}`,
    });
  }

  flexible(): RealmSubscriptions {
    this.checkOpen();
    if (this.subscriptions !== undefined) return this.subscriptions;
    throw new RealmUsageError('this realm has no subscriptions: it is not one of flexible sync', {
      remedy: 'open the flexible realm of the server',
    });
  }

  isEmbedded(className: string | undefined): boolean {
    return className !== undefined && this.schemas.get(className)?.kind === 'embedded';
  }

  checkOpen(): void {
    if (this.closed) throw new RealmUsageError('this realm is closed', { remedy: 'open it again' });
  }
}
