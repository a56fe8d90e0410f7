/** Integration of what a client of flexible sync uploads: merged as any upload, then judged object by object. */
import {
  decodeChangeset,
  decodeToPassOn,
  encodeChangeset,
  reencodeChangeset,
} from '../../changeset/codec.ts';
import type { Instruction, ObjectInstruction } from '../../changeset/instruction.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { Upload } from './contract.ts';
import type { FlexibleJudge } from './flexible-contract.ts';
import type { HistoryHead } from './history-table.ts';
import { type EntryApplication, integrateUpload, type RealmChange } from './integrate.ts';
import { JudgedChangeset } from './judged-changeset.ts';

const NOTHING = new Uint8Array(0);

/**
 * Objects of which the merge has left nothing, as when somebody else has erased them. The client may not be sent what
 * they lost to, which happened outside its view, and must be told what became of them.
 */
function objectsLost(
  uploaded: Uint8Array,
  merged: readonly Instruction[],
  schema: RealmSchema,
): { table: string; key: PrimaryKey }[] {
  const kept = new Set<string>();
  for (const instruction of merged) if ('key' in instruction) kept.add(tokenOf(instruction));
  const lost: { table: string; key: PrimaryKey }[] = [];
  for (const instruction of decodeChangeset(uploaded).instructions) {
    if (!('key' in instruction) || schema.get(instruction.table)?.kind !== 'topLevel') continue;
    const token = tokenOf(instruction);
    if (kept.has(token)) continue;
    kept.add(token);
    lost.push({ table: instruction.table, key: instruction.key });
  }
  return lost;
}

function tokenOf({ table, key }: ObjectInstruction): string {
  return `${table}\0${keyToken(key)}`;
}

/** Returns the new head. Throws as {@link integrateUpload}, and what the judge throws. */
export function integrateJudged(
  change: RealmChange,
  head: HistoryHead,
  fileIdent: number,
  upload: Upload,
  judge: FlexibleJudge,
): HistoryHead {
  const { view, realm, flexible } = change;
  const apply: EntryApplication = (entry, merged, version, unfit) => {
    const { changeset, bytes } =
      merged === undefined ? decodeToPassOn(entry.changeset) : { changeset: merged, bytes: undefined };
    const { clientVersion, serverVersion: base } = entry;
    const judged = new JudgedChangeset(view, judge, { clientVersion, base }, changeset.instructions, unfit);
    judged.apply();
    const lost = merged === undefined ? [] : objectsLost(entry.changeset, merged.instructions, view.schema);
    const objects = [...judged.corrections, ...lost];
    if (objects.length > 0) {
      flexible?.corrections.put(realm, fileIdent, { version, clientVersion, objects });
    }
    const { left } = judged;
    if (left === undefined) return bytes ?? reencodeChangeset(changeset);
    // Encoded anew: the texts of what was refused must not reach other clients.
    return left.length === 0 ? NOTHING : encodeChangeset(left);
  };
  return integrateUpload(change, head, fileIdent, upload, { apply, leavesOutUnfit: true });
}
