/** Runs a verification in this process, as the command does, and gathers what it says. */
import { postgresConnector } from '../../connectors/postgres/connector.ts';
import type { PostgresOptions } from '../../connectors/postgres/options.ts';
import { parsePostgresOptions } from '../../connectors/postgres/options.ts';
import { renderDifference } from '../../src/cli/verify/report-text.ts';
import type { ConfiguredConnector } from '../../src/connector/runtime/configured-connector.ts';
import { verifyDatabase } from '../../src/connector/runtime/verify-database.ts';
import type { Difference } from '../../src/connector/verify/difference.ts';
import type { NotRepaired, RepairDirection } from '../../src/connector/verify/repair.ts';
import type { VerifyReport } from '../../src/connector/verify/run-verify.ts';
import { silentLogger } from '../../src/log.ts';

export type Verified = {
  readonly report: VerifyReport;
  readonly differences: readonly Difference[];
  /** The differences as the command writes them, sorted. */
  readonly lines: readonly string[];
  readonly notRepaired: readonly NotRepaired[];
};

export type VerifyRequest = {
  readonly only?: readonly string[];
  readonly settleMilliseconds?: number;
  readonly repair?: RepairDirection;
  readonly signal?: AbortSignal;
};

export function verify(options: PostgresOptions, request: VerifyRequest = {}): Promise<Verified> {
  const parsed = parsePostgresOptions({ ...options, logger: silentLogger });
  return verifyConnector(postgresConnector(parsed), request);
}

/** As {@link verify}, for any database. */
export async function verifyConnector(
  connector: ConfiguredConnector,
  request: VerifyRequest,
): Promise<Verified> {
  const differences: Difference[] = [];
  const notRepaired: NotRepaired[] = [];
  const { repair: direction } = request;
  const repair = {
    confirm: async () => true,
    onNotRepaired: (failure: NotRepaired) => void notRepaired.push(failure),
  };
  const report = await verifyDatabase(
    connector,
    {
      only: request.only ?? [],
      settleMilliseconds: request.settleMilliseconds ?? 300,
      ...(direction === undefined ? {} : { repair: { ...repair, direction } }),
    },
    {
      signal: request.signal ?? new AbortController().signal,
      onDifference: (difference) => void differences.push(difference),
    },
  );
  const lines = differences.flatMap(renderDifference).sort();
  return { report, differences, lines, notRepaired };
}
