/** The state of a realm, as the open transaction has it, as queries ask for it. */
import type { QueryObject, QueryWorld } from '../../query/contract.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { ObjectState } from '../../store/state/object-state.ts';
import { LinkFinder } from './link-places.ts';
import type { RealmCore } from './realm-core.ts';

export class RealmWorld implements QueryWorld {
  readonly #core: RealmCore;

  constructor(core: RealmCore) {
    this.#core = core;
  }

  get schema(): RealmSchema {
    return this.#core.reader.schema;
  }

  object(table: string, key: PrimaryKey): ObjectState | undefined {
    return this.#core.state(table, key);
  }

  objects(table: string): Iterable<QueryObject> {
    return this.#core.objects(table);
  }

  /** By the reader's means where it has some and nothing is written; otherwise by reading the whole class. */
  *linking(
    table: string,
    field: string,
    target: { table: string; key: PrimaryKey },
  ): IterableIterator<QueryObject> {
    const { reader, transaction } = this.#core;
    if (transaction === undefined && reader.linking !== undefined) {
      yield* reader.linking(table, field, target);
      return;
    }
    const finder = new LinkFinder(this.schema);
    for (const object of this.#core.objects(table)) {
      const places = finder.places(table, object.state, target);
      if (places.some((place) => place.field === field)) yield object;
    }
  }
}

/** `world` with only some objects of one class when all of them are asked for; links still lead everywhere. */
export function narrowed(world: QueryWorld, table: string, objects: readonly QueryObject[]): QueryWorld {
  return {
    schema: world.schema,
    object: (of, key) => world.object(of, key),
    objects: (of) => (of === table ? objects : world.objects(of)),
    linking: (of, field, target) => world.linking(of, field, target),
  };
}
