/** How far each realm's queue is applied, in `isthmus.checkpoint`. */
import { CHECKPOINT_TABLE } from '../own-tables.ts';
import { quoteTable } from '../sql-text.ts';
import { EXACT_COLLATION, rowSource } from './row-source.ts';

const CHECKPOINT = quoteTable(CHECKPOINT_TABLE);
const HELD = 'WITH (UPDLOCK, SERIALIZABLE)';
const OF_ROW = `t.[adapter] = @adapter AND t.[realm] = CONVERT(nvarchar(700), s.[c0]) COLLATE ${EXACT_COLLATION}`;

export const READ_CHECKPOINTS = `SELECT [realm], CONVERT(varchar(20), [sequence]) FROM ${CHECKPOINT} WHERE [adapter] = @adapter;`;

/** Waits for whoever is about to move it. */
export const HOLD_CHECKPOINT = `SELECT CONVERT(varchar(20), [sequence]) FROM ${CHECKPOINT} ${HELD} WHERE [adapter] = @adapter AND [realm] = @realm;`;

/** `@rows` are pairs of realm and sequence. */
export const MOVE_CHECKPOINTS =
  `UPDATE t SET t.[sequence] = CONVERT(bigint, s.[c1]) FROM ${CHECKPOINT} AS t ${HELD} ` +
  `INNER JOIN ${rowSource(2)} ON ${OF_ROW};\n` +
  `INSERT INTO ${CHECKPOINT} ([adapter], [realm], [sequence]) ` +
  `SELECT @adapter, s.[c0], CONVERT(bigint, s.[c1]) FROM ${rowSource(2)} ` +
  `WHERE NOT EXISTS (SELECT 1 FROM ${CHECKPOINT} AS t ${HELD} WHERE ${OF_ROW});`;
