/** Tells a client which of its writes were not taken (spec/wire-protocol.md §4.2, code 231). */
import { encodeStandAloneKey } from '../../changeset/stand-alone-key.ts';
import { formatErrorBody } from '../../protocol/error-codes.ts';
import type { Correction } from '../../store/server/flexible-contract.ts';

/** The JSON of the error; undefined when all of the writes were taken. */
export function rejectedUpdates({ version, clientVersion, objects }: Correction): string | undefined {
  const updates = objects.flatMap(({ table, key, reason }) =>
    reason === undefined
      ? []
      : [{ reason, table, pk: Buffer.from(encodeStandAloneKey(key)).toString('base64') }],
  );
  if (updates.length === 0) return undefined;
  return formatErrorBody({
    message:
      updates.length === 1
        ? 'a write was not allowed and has been undone'
        : `writes to ${updates.length} objects were not allowed and have been undone`,
    tryAgain: true,
    action: 'Warning',
    rejected: { updates, clientVersion, serverVersion: version },
  });
}
