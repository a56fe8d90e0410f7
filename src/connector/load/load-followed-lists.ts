/** The lists that both sides change (followed-lists.ts), as a load leaves them. */
import { planStatements } from '../apply/plan.ts';
import type { SourceDialect } from '../dialect.ts';
import { ApplyError, DataError } from '../errors.ts';
import { ListKeeper } from '../lists/list-keeper.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { ConnectorOptions } from '../options.ts';
import { LeftOutRows } from './left-out-rows.ts';
import type { LoadContext } from './load-table.ts';

/**
 * Brings the lists that both sides change into the realms as they are now; what the feed shows later is compared again.
 * Their tables are the connector's own, and written here so that SQL has their order from the beginning.
 */
export async function loadFollowedLists(
  mapping: Mapping,
  classes: readonly ClassMapping[],
  dialect: SourceDialect,
  { store, realms, signal }: Pick<LoadContext, 'store' | 'realms' | 'signal'>,
  options: Pick<ConnectorOptions, 'ignoreSqlErrors' | 'logger'>,
): Promise<void> {
  const lists = new ListKeeper({
    store,
    mapping: () => mapping,
    reads: dialect,
    realms: () => realms.all(),
    onDataError: new LeftOutRows(options).leaveOut, // items, which are not among the rows that are counted
  });
  await lists.compareAll(
    classes.map(({ className }) => className),
    signal,
  );
  if (lists.owing().length === 0) return;
  const writer = await dialect.openWriter();
  try {
    for (const path of lists.owing()) {
      const realm = realms.get(path);
      if (realm === undefined || realm.pending.length > 0) continue; // the adapter goes on
      await lists.applyOwed(realm, async (plan) => {
        const statements = planStatements([], mapping, realm.replica, {}, plan);
        if (statements.length > 0) await writer.apply(statements, []);
      });
    }
  } catch (error) {
    if (!(error instanceof ApplyError || error instanceof DataError)) throw error;
    options.logger.warn('The list tables are written when the adapter starts', { reason: error.message });
  } finally {
    await writer.close();
  }
}
