/** Verifies a database against its realms; the command line stands on it, and programs may. */
import { queueMergedTransactions } from '../../adapter/transaction-queueing.ts';
import type { Difference } from '../verify/difference.ts';
import { makeOwnDirectory } from '../verify/own-directory.ts';
import {
  runVerify,
  type VerifyProgress,
  type VerifyReport,
  type VerifyRequest,
} from '../verify/run-verify.ts';
import { discoveryOnly } from '../verify/verified-realms.ts';
import type { ConfiguredConnector } from './configured-connector.ts';
import { openConnectorParts } from './connector-parts.ts';

/** Compares, and repairs when the request says so. Beside a running adapter, in a directory of its own. */
export async function verifyDatabase(
  connector: ConfiguredConnector,
  request: VerifyRequest,
  hooks: {
    readonly onProgress?: (progress: VerifyProgress) => void;
    readonly onDifference?: (difference: Difference) => void;
    readonly signal: AbortSignal;
  },
): Promise<VerifyReport> {
  const directory = makeOwnDirectory(connector.engine.localPath);
  try {
    const observer = discoveryOnly(queueMergedTransactions);
    const parts = await openConnectorParts(connector, { directory: directory.path, observer });
    try {
      const { dialect, store, sync } = parts;
      const { schema } = connector;
      return await runVerify(connector.engine, request, {
        dialect,
        schema,
        store,
        directory: directory.path,
        sync,
        ...hooks,
      });
    } finally {
      await parts.close();
    }
  } finally {
    directory.remove();
  }
}
