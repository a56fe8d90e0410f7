/** Another attempt at a row that was left out: as it is now, under the mapping as it is now. */

import type { ReplicaStore } from '../../store/replica/contract.ts';
import type { FeedConsumer } from '../capture/feed-consumer.ts';
import type { SourceDialect } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { LetterAnswer } from './contract.ts';
import type { RefusedRows, RowPayload } from './refused-rows.ts';

export async function retryRow(
  { table: id, key: keyTexts }: RowPayload,
  mapping: Mapping,
  dialect: Pick<SourceDialect, 'fetchRows'>,
  store: ReplicaStore,
  consumer: Pick<FeedConsumer, 'writeRow'>,
  refused: RefusedRows,
): Promise<LetterAnswer> {
  const mapped = mapping.forTable(id);
  if (mapped === undefined) return { state: 'waiting', outcome: `table ${id} is not synced any more` };
  const { table } = mapped;
  const others = table.columns.map(({ name }) => name).filter((name) => !mapped.key.columns.includes(name));
  const names = [...mapped.key.columns, ...others];
  const [row] = await dialect.fetchRows(table, names, [keyTexts]);
  if (row === undefined) {
    store.transaction(() => refused.mended(mapped, keyTexts));
    return { state: 'retried', outcome: 'the row is gone' };
  }
  try {
    store.transaction(() => consumer.writeRow(mapped, names, row));
    return { state: 'retried', outcome: 'the row is in the realm' };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { state: 'waiting', outcome: error.message };
  }
}
