/** Integration of what a client of flexible sync uploads: merged as any upload, then judged object by object. */
import { decodeToPassOn, encodeChangeset, reencodeChangeset } from '../../changeset/codec.ts';
import type { Upload } from './contract.ts';
import type { FlexibleJudge } from './flexible-contract.ts';
import type { HistoryHead } from './history-table.ts';
import { type EntryApplication, integrateUpload, type RealmChange } from './integrate.ts';
import { JudgedChangeset } from './judged-changeset.ts';

const NOTHING = new Uint8Array(0);

/** Returns the new head. Throws as {@link integrateUpload}, and what the judge throws. */
export function integrateJudged(
  change: RealmChange,
  head: HistoryHead,
  fileIdent: number,
  upload: Upload,
  judge: FlexibleJudge,
): HistoryHead {
  const { view, realm, flexible } = change;
  const apply: EntryApplication = (entry, merged, version) => {
    const { changeset, bytes } =
      merged === undefined ? decodeToPassOn(entry.changeset) : { changeset: merged, bytes: undefined };
    const { clientVersion, serverVersion: base } = entry;
    const judged = new JudgedChangeset(view, judge, { clientVersion, base }, changeset.instructions);
    judged.apply();
    const objects = judged.corrections;
    if (objects.length > 0) {
      flexible?.corrections.put(realm, fileIdent, { version, clientVersion, objects });
    }
    const { left } = judged;
    if (left === undefined) return bytes ?? reencodeChangeset(changeset);
    // Encoded anew: the texts of what was refused must not reach other clients.
    return left.length === 0 ? NOTHING : encodeChangeset(left);
  };
  return integrateUpload(change, head, fileIdent, upload, apply);
}
