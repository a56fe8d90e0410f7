/** Parameters as the log shows them. */
import type { BoundRows, Concealment } from '../../src/connector/concealment.ts';
import type { SqlText } from '../../src/connector/dialect.ts';
import { asHex } from './driver-values.ts';
import type { SqlParameter } from './parameters.ts';

/** The document of the rows that a statement is bound to. */
const ROWS_PARAMETER = 'rows';

/** A document of rows is shown without the columns that are secret; other parameters are all secret beside one. */
export function shownValues(
  parameters: readonly SqlParameter[],
  bound: BoundRows | undefined,
  concealment: Concealment,
): SqlText[] {
  const whole = bound === undefined ? undefined : { table: bound.table, rows: [] };
  return parameters.flatMap(({ name, value }) => {
    if (name === ROWS_PARAMETER && bound?.columns !== undefined && concealment.concerns(bound)) {
      const rows = bound.rows.map((row) => concealment.shown(row, bound));
      return concealment.shown([JSON.stringify(rows)], undefined);
    }
    return concealment.shown([Buffer.isBuffer(value) ? asHex(value) : value], whole);
  });
}
