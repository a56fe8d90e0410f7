import { compileQuery } from '../../query/compile.ts';
import type { Query, QueryArgument, QueryObject } from '../../query/contract.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ObjectState } from '../../store/state/object-state.ts';
import { indexOfName, RealmCollection } from './collection.ts';
import { narrowed } from './query-world.ts';
import type { RealmCore } from './realm-core.ts';
import { RealmUsageError } from './realm-error.ts';
import type { RealmObject } from './realm-object.ts';
import type { SubscribeOptions } from './realm-subscriptions.ts';

/** What results need of their realm. */
export type ResultsAccess = {
  readonly core: RealmCore;
  /** What `$0` of a query stands for. */
  queryArgument(value: unknown): QueryArgument;
};

type Source<T> = {
  readonly access: ResultsAccess;
  readonly className: string;
  readonly accessor: (key: PrimaryKey) => T;
  readonly condition?: ((state: ObjectState) => boolean) | undefined;
};

/** How `sorted` names one property: by its path, or with whether the order is descending. */
export type SortDescriptor = string | readonly [string, boolean];

/**
 * The objects of a class, or those of them that fulfil conditions: live, in key order unless sorted. Queries know
 * properties by the names that they have in the realm (`mapTo`).
 */
export class RealmResults<T = RealmObject> extends RealmCollection<T> {
  readonly #source: Source<T>;
  /** Each works on what the one before it has left. */
  readonly #queries: readonly Query[];
  /** The name under which these results were subscribed to. */
  #subscribedName: string | undefined;
  readonly [index: number]: T;

  private constructor(source: Source<T>, queries: readonly Query[]) {
    super();
    this.#source = source;
    this.#queries = queries;
  }

  static create<T>(source: Source<T>, queries: readonly Query[] = []): RealmResults<T> {
    return indexed(new RealmResults(source, queries));
  }

  get #core(): RealmCore {
    return this.#source.access.core;
  }

  get className(): string {
    return this.#source.className;
  }

  get length(): number {
    if (this.#source.condition === undefined && this.#queries.length === 0)
      return this.#core.count(this.className);
    let length = 0;
    for (const _ of this.#objects()) length += 1;
    return length;
  }

  isValid(): boolean {
    return !this.#core.closed;
  }

  get(index: number): T | undefined {
    let at = 0;
    for (const { key } of this.#objects()) if (at++ === index) return this.#source.accessor(key);
    return undefined;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const { key } of this.#objects()) yield this.#source.accessor(key);
  }

  /**
   * Those of these objects that match a query of the Realm Query Language; `$0`, `$1`… stand for the arguments. Throws
   * `QueryError` with the place of the mistake.
   */
  filtered(query: string, ...args: readonly unknown[]): RealmResults<T> {
    const { access } = this.#source;
    const compiled = compileQuery(query, {
      schema: this.#core.reader.schema,
      table: this.className,
      arguments: args.map((value) => access.queryArgument(value)),
    });
    return RealmResults.create(this.#source, [...this.#queries, compiled]);
  }

  /** These objects in the order of a property, which may be one that a link leads to (`owner.name`). */
  sorted(descriptor: string | readonly SortDescriptor[], reverse = false): RealmResults<T> {
    const descriptors = typeof descriptor === 'string' ? [[descriptor, reverse] as const] : descriptor;
    const terms = descriptors.map((term) => {
      const [path, isDescending] = typeof term === 'string' ? [term, false] : term;
      return `${path} ${isDescending ? 'DESC' : 'ASC'}`;
    });
    return this.filtered(`TRUEPREDICATE SORT(${terms.join(', ')})`);
  }

  /** The one query that these results are, for a subscription. */
  subscriptionQuery(): string {
    const { condition } = this.#source;
    if (condition !== undefined || this.#queries.some(({ hasDescriptors }) => hasDescriptors)) {
      throw new RealmUsageError(
        `these results of class ${this.className} cannot be subscribed to: they are no plain query`,
        { remedy: 'subscribe to objects(…) or filtered(…), without sorting, limits and inverse links' },
      );
    }
    const [first, ...more] = this.#queries.map(({ canonical }) => canonical);
    if (first === undefined) return 'TRUEPREDICATE';
    if (more.length === 0) return first;
    const text = [first, ...more].map((part) => `(${part})`).join(' AND ');
    return compileQuery(text, { schema: this.#core.reader.schema, table: this.className }).canonical;
  }

  /** Adds a subscription for these results and waits, as the behaviour says, until their objects are here. */
  async subscribe(options: SubscribeOptions = {}): Promise<RealmResults<T>> {
    const subscriptions = this.#core.flexible();
    this.#subscribedName = options.name;
    await subscriptions.subscribe(this, options);
    return indexed(this);
  }

  /** Removes the subscription that {@link subscribe} made, or one with the same query; does not wait. */
  unsubscribe(): void {
    this.#core.flexible().unsubscribe(this, this.#subscribedName);
  }

  belongsTo(core: RealmCore): boolean {
    return this.#core === core;
  }

  #objects(): Iterable<QueryObject> {
    const { world } = this.#core;
    const { condition } = this.#source;
    const [first, ...more] = this.#queries;
    if (condition === undefined) {
      if (first === undefined) return this.#core.objects(this.className);
      return more.reduce<Iterable<QueryObject>>(
        (objects, query) => this.#narrow(objects, query),
        first.run(world),
      );
    }
    const all = filterObjects(this.#core.objects(this.className), ({ state }) => condition(state));
    return this.#queries.reduce<Iterable<QueryObject>>((objects, query) => this.#narrow(objects, query), all);
  }

  #narrow(objects: Iterable<QueryObject>, query: Query): Iterable<QueryObject> {
    const { world } = this.#core;
    if (!query.hasDescriptors) return filterObjects(objects, (object) => query.matches(object, world));
    const left = [...objects];
    const tokens = new Set(left.map(({ key }) => keyToken(key)));
    const found = query.run(narrowed(world, this.className, left));
    // A query for one key looks it up without asking which objects there are.
    return filterObjects(found, ({ key }) => tokens.has(keyToken(key)));
  }
}

function* filterObjects(
  objects: Iterable<QueryObject>,
  keep: (object: QueryObject) => boolean,
): IterableIterator<QueryObject> {
  for (const object of objects) if (keep(object)) yield object;
}

function indexed<T>(results: RealmResults<T>): RealmResults<T> {
  return new Proxy(results, {
    get(target, name): unknown {
      const index = indexOfName(name);
      if (index !== undefined) return target.get(index);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
