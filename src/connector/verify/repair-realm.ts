/**
 * The row wins: writes what the rows say into the realms, as any client does. The same writes as the feed's, so that a
 * property that agrees is not written, and what a device changes in another one survives.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import { readField } from '../../store/state/default-value.ts';
import { stateDifference } from '../../store/state/state-difference.ts';
import { captureDelete, captureRow } from '../capture/capture-change.ts';
import type { Shadow } from '../capture/shadow.ts';
import { DataError } from '../errors.ts';
import type { ClassCheck } from './class-check.ts';
import type { Difference } from './difference.ts';
import type { Observation } from './observation.ts';
import type { Repairer } from './repair.ts';
import type { VerifiedRealm, VerifiedRealms } from './verified-realms.ts';

const NO_SHADOW: Shadow = { deleted: false, inserted: false, covers: () => false };

export class RealmRepairer implements Repairer {
  readonly #realms: VerifiedRealms;
  readonly #schema: RealmSchema;

  /** `schema` is that of the models; realms that lack a part of it are given it. */
  constructor(realms: VerifiedRealms, schema: RealmSchema) {
    this.#realms = realms;
    this.#schema = schema;
  }

  async repair(
    check: ClassCheck,
    observations: readonly Observation[],
  ): Promise<readonly (string | undefined)[]> {
    const writes = new Map<VerifiedRealm, Instruction[]>();
    const reasons = observations.map((observation) => this.#repairOne(check, observation, writes));
    for (const [{ replica }, instructions] of writes) {
      if (instructions.length > 0) replica.write(instructions);
    }
    return reasons;
  }

  #repairOne(
    check: ClassCheck,
    observation: Observation,
    writes: Map<VerifiedRealm, Instruction[]>,
  ): string | undefined {
    let reason: string | undefined;
    for (const difference of observation.differences) {
      if (difference.state !== 'standing') continue;
      if (observation.key === undefined && difference.reason !== undefined) {
        reason = difference.reason;
        continue;
      }
      const realm = this.#realms.prepared(difference.realmPath, this.#schema);
      const instructions = writes.get(realm) ?? [];
      writes.set(realm, instructions);
      const { length } = instructions;
      try {
        this.#write(check, observation, difference, realm, instructions);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        instructions.length = length; // never half an object
        reason = error.message;
      }
    }
    return reason;
  }

  #write(
    check: ClassCheck,
    { key, row, sides }: Observation,
    { kind }: Difference,
    { replica }: VerifiedRealm,
    out: Instruction[],
  ): void {
    const { plan, mapped } = check.rows;
    if (row === undefined || kind === 'objectWithoutRow' || kind === 'wrongRealm') {
      if (key !== undefined) captureDelete(plan, key, replica, NO_SHADOW, out);
      return;
    }
    const identity = key ?? mapped.key.toRealm(plan.keyTexts(row));
    const object = replica.object(mapped.className, identity);
    captureRow(plan, identity, row, replica, NO_SHADOW, out);
    for (const side of check.sides) {
      const { property, definition } = side;
      const address = { table: mapped.className, key: identity, field: property, path: [] };
      const before = readField(object ?? { fields: new Map() }, property, definition);
      const after = side.toRealm(sides.get(property) ?? [], before);
      out.push(...stateDifference(replica.schema, address, definition, before, after));
    }
  }
}
