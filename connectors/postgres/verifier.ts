/** Verifies a PostgreSQL database against its realms; the command line stands on it, and programs may. */
import { queueMergedTransactions } from '../../src/adapter/transaction-queueing.ts';
import type { Difference } from '../../src/connector/verify/difference.ts';
import { makeOwnDirectory } from '../../src/connector/verify/own-directory.ts';
import {
  runVerify,
  type VerifyProgress,
  type VerifyReport,
  type VerifyRequest,
} from '../../src/connector/verify/run-verify.ts';
import { discoveryOnly } from '../../src/connector/verify/verified-realms.ts';
import { openConnectorParts } from './connector-parts.ts';
import type { PostgresConnectorOptions } from './options.ts';

/** Compares, and repairs when the request says so. Beside a running adapter, in a directory of its own. */
export async function verifyDatabase(
  options: PostgresConnectorOptions,
  request: VerifyRequest,
  hooks: {
    readonly onProgress?: (progress: VerifyProgress) => void;
    readonly onDifference?: (difference: Difference) => void;
    readonly signal: AbortSignal;
  },
): Promise<VerifyReport> {
  const directory = makeOwnDirectory(options.engine.localPath);
  try {
    const observer = discoveryOnly(queueMergedTransactions);
    const parts = await openConnectorParts(options, { directory: directory.path, observer });
    try {
      const { dialect, store, sync } = parts;
      const { schema } = options;
      return await runVerify(options.engine, request, {
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
