/**
 * The realms of the server: opens them, and lists every one in the system realm `/__admin`, so that whoever watches
 * that realm learns of new realms through sync.
 *
 * A realm is listed after it was created. What a crash leaves unlisted is listed at the next start.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { ColumnDefinition } from '../../schema/definition.ts';
import type { ScalarValue } from '../../schema/value.ts';
import type { ServerRealm, ServerStore } from '../../store/server/contract.ts';
import { ADMIN_REALM_PATH, ownerSegment } from './realm-path.ts';

const CLASS = 'RealmFile';
/** Instructions of one listing transaction at start, so that a large store does not become one huge changeset. */
const LISTED_TOGETHER = 1_000;
const MILLISECONDS = 1_000;
const NANOSECONDS = 1_000_000;

export class RealmRegistry {
  readonly #store: ServerStore;
  readonly #admin: ServerRealm;
  readonly #now: () => number;
  readonly #listed = new Set<string>();
  readonly #listing = new Map<string, Promise<void>>();

  private constructor(store: ServerStore, admin: ServerRealm, now: () => number) {
    this.#store = store;
    this.#admin = admin;
    this.#now = now;
  }

  /** `now` gives milliseconds since 1970. */
  static async open(store: ServerStore, now: () => number): Promise<RealmRegistry> {
    const admin = await store.realm(ADMIN_REALM_PATH);
    const registry = new RealmRegistry(store, admin, now);
    if (!admin.schema.has(CLASS)) await admin.write(schemaInstructions());
    await registry.#readListed();
    await registry.#listMissing();
    return registry;
  }

  /** Realms that are listed. */
  get size(): number {
    return this.#listed.size;
  }

  /** Opens a realm, creating and listing it when it is new. */
  async realm(path: string): Promise<ServerRealm> {
    if (path === ADMIN_REALM_PATH) return this.#admin;
    const realm = await this.#store.realm(path);
    if (!this.#listed.has(path)) await this.#list(path);
    return realm;
  }

  #list(path: string): Promise<void> {
    const running = this.#listing.get(path);
    if (running) return running;
    const listing = this.#write([path]).finally(() => this.#listing.delete(path));
    this.#listing.set(path, listing);
    return listing;
  }

  async #write(paths: readonly string[]): Promise<void> {
    const createdAt = this.#now();
    await this.#admin.write(paths.flatMap((path) => listingInstructions(path, createdAt)));
    for (const path of paths) this.#listed.add(path);
  }

  async #readListed(): Promise<void> {
    for await (const batch of this.#admin.objects(CLASS)) {
      for (const { key } of batch) if (key.type === 'string') this.#listed.add(key.value);
    }
  }

  async #listMissing(): Promise<void> {
    const paths = await this.#store.paths();
    const missing = paths.filter((path) => path !== ADMIN_REALM_PATH && !this.#listed.has(path));
    for (let start = 0; start < missing.length; start += LISTED_TOGETHER) {
      await this.#write(missing.slice(start, start + LISTED_TOGETHER));
    }
  }
}

function schemaInstructions(): Instruction[] {
  const column = (field: string, type: ColumnDefinition['type'], nullable: boolean): Instruction => ({
    op: 'AddColumn',
    table: CLASS,
    field,
    column: { type, nullable, collection: 'single' },
  });
  return [
    {
      op: 'AddTable',
      table: CLASS,
      kind: 'topLevel',
      primaryKey: { field: 'path', type: 'string', nullable: false },
    },
    column('realmType', 'string', false),
    column('ownerId', 'string', true),
    column('createdAt', 'date', false),
  ];
}

function listingInstructions(path: string, createdAt: number): Instruction[] {
  const key = { type: 'string', value: path } as const;
  const set = (field: string, value: ScalarValue): Instruction => ({
    op: 'Update',
    table: CLASS,
    key,
    field,
    path: [],
    value,
    isDefault: false,
  });
  const owner = ownerSegment(path);
  const instructions: Instruction[] = [
    { op: 'CreateObject', table: CLASS, key },
    set('realmType', { type: 'string', value: 'full' }),
    set('createdAt', {
      type: 'date',
      seconds: BigInt(Math.floor(createdAt / MILLISECONDS)),
      nanoseconds: (createdAt % MILLISECONDS) * NANOSECONDS,
    }),
  ];
  if (owner !== undefined) instructions.push(set('ownerId', { type: 'string', value: owner }));
  return instructions;
}
