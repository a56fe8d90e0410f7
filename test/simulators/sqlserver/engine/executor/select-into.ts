/** SELECT … INTO: a new table with the result's columns. */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { ObjectName } from '../../sql/ast.ts';
import { addTable, createSchemaFor } from '../definitions/create-table.ts';
import type { Column } from '../storage/definition.ts';
import { Table } from '../storage/table.ts';
import { newEnv, type Run } from './environment.ts';
import type { QueryPlan } from './query.ts';
import { RowWriter } from './row-writer.ts';
import type { StatementResult } from './statement-result.ts';

export function selectInto(name: ObjectName, plan: QueryPlan, run: Run): StatementResult {
  const { session } = run;
  const temporary = name.name.startsWith('#');
  const database = session.databaseNamed(name.database, name.line);
  const schema = temporary ? 'dbo' : createSchemaFor(session, database, name);
  const table = new Table(
    database.takeObjectId(),
    schema,
    name.name,
    new Date(session.statementTime),
    temporary,
  );
  session.instance.belongs(table, database);
  for (const [at, one] of plan.columns.entries()) {
    if (one.name === '') {
      throw new SqlFailure(
        1038,
        'An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name.',
        { line: name.line, severity: 15 },
      );
    }
    const lower = one.name.toLowerCase();
    if (table.columns.some((column) => column.name.toLowerCase() === lower)) {
      throw new SqlFailure(
        2705,
        `Column names in each table must be unique. Column name '${one.name}' in table '${name.name}' is specified more than once.`,
        { line: name.line, state: 3 },
      );
    }
    const isText = /char$|text$/.test(one.type.kind);
    const column: Column = {
      id: table.nextColumnId++,
      name: one.name,
      type: one.type,
      nullable: one.nullable || one.untypedNull === true,
      collation: isText ? (one.collation?.name ?? database.collation) : undefined,
      slot: table.nextSlot++,
      identity: one.identity ? { seed: 1n, increment: 1n, last: undefined } : undefined,
      default: undefined,
      computed: undefined,
      rowGuid: false,
    };
    if (column.slot !== at) throw new Error('Columns of a new table are in the order of their slots.');
    table.columns.push(column);
  }
  addTable(run, database, table, name.line);
  const rows = plan.rows(newEnv(run));
  const writer = new RowWriter(run, table, 'INSERT', null);
  for (const row of rows) writer.insert([...row] as Datum[]);
  writer.finish();
  return { command: 'insert', rowCount: rows.length };
}
