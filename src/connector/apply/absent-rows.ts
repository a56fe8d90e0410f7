/**
 * Objects whose insertion is a dead letter: the realm has them, the database may not. A later change of such an object
 * must insert it whole, since an UPDATE of a row that is not there would drop it without a word (DESIGN §7).
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { SyncedRealm } from '../realms.ts';
import { isScalarState } from './net-effect.ts';

const MARK = 'absent:';

export class AbsentRows {
  readonly #store: ReplicaStore;
  readonly #names: Set<string>;

  constructor(store: ReplicaStore) {
    this.#store = store;
    this.#names = new Set(store.marks(MARK).keys());
  }

  /** The instructions are about to become a dead letter. */
  add(realmPath: string, instructions: readonly MergedInstruction[]): void {
    this.#store.transaction(() => {
      for (const instruction of instructions) {
        if (instruction.type !== 'INSERT') continue;
        const name = markOf(realmPath, instruction.table, instruction.key);
        this.#names.add(name);
        this.#store.setMark(name, '');
      }
    });
  }

  /** The instructions, with the insertion of what they change before the change. */
  completed(realm: SyncedRealm, instructions: readonly MergedInstruction[]): readonly MergedInstruction[] {
    if (this.#names.size === 0) return instructions;
    const inserted = new Set<string>();
    return instructions.flatMap((instruction) => {
      if (instruction.type !== 'INSERT' && instruction.type !== 'SET') return [instruction];
      const name = markOf(realm.path, instruction.table, instruction.key);
      if (!this.#names.has(name) || inserted.has(name)) return [instruction];
      inserted.add(name);
      const insertion = instruction.type === 'SET' ? insertionOf(realm, instruction) : undefined;
      return insertion === undefined ? [instruction] : [insertion, instruction];
    });
  }

  /** The instructions are in the database. */
  applied(realmPath: string, instructions: readonly MergedInstruction[]): void {
    if (this.#names.size === 0) return;
    this.#store.transaction(() => {
      for (const instruction of instructions) {
        const { type } = instruction;
        if (type !== 'INSERT' && type !== 'SET' && type !== 'DELETE') continue;
        const name = markOf(realmPath, instruction.table, instruction.key);
        if (this.#names.delete(name)) this.#store.setMark(name, undefined);
      }
    });
  }
}

function markOf(realmPath: string, table: string, key: PrimaryKey): string {
  return `${MARK}${JSON.stringify([realmPath, table, keyToken(key)])}`;
}

/** As the object is now; `undefined` when it is gone again. */
function insertionOf(
  { replica }: SyncedRealm,
  { table, key }: { readonly table: string; readonly key: PrimaryKey },
): MergedInstruction | undefined {
  const state = replica.object(table, key);
  if (state === undefined) return undefined;
  const values = new Map<string, StateValue>();
  for (const [property, value] of state.fields) if (isScalarState(value)) values.set(property, value);
  return { type: 'INSERT', table, key, values };
}
