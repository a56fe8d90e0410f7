/** A realm in memory behind the object API: what is written is applied at once and kept as instructions. */
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import type { RealmReader } from '../../../src/client/realm/realm-core.ts';
import type { RealmSchema } from '../../../src/schema/definition.ts';
import type { PrimaryKey } from '../../../src/schema/value.ts';
import { applyInstructions } from '../../../src/store/state/apply.ts';
import type { ObjectState } from '../../../src/store/state/object-state.ts';
import { MemoryView } from '../../../src/store/state/view.ts';

export class MemoryReader implements RealmReader {
  readonly view = new MemoryView();
  readonly written: (readonly Instruction[])[] = [];

  get schema(): RealmSchema {
    return this.view.schema;
  }

  object(table: string, key: PrimaryKey): ObjectState | undefined {
    return this.view.object(table, key);
  }

  objects(table: string): IterableIterator<{ key: PrimaryKey; state: ObjectState }> {
    return [...this.view.objects(table)].values();
  }

  count(table: string): number {
    return [...this.view.objects(table)].length;
  }

  write(instructions: readonly Instruction[]): void {
    applyInstructions(this.view, instructions);
    this.written.push(instructions);
  }
}

export function openMemoryRealm(
  schema: readonly unknown[],
  reader = new MemoryReader(),
): { realm: ObjectRealm; reader: MemoryReader } {
  const realm = new ObjectRealm({ reader, write: (instructions) => reader.write(instructions), schema });
  return { realm, reader };
}
