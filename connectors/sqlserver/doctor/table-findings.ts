/** Looks at each table of the models as SQL Server has it: whether it can be read, written and followed. */
import { type TableInfo, tableId } from '../../../src/connector/dialect.ts';
import { SAMPLE_ROWS, sampledColumns, valueFindings } from '../../../src/connector/doctor/value-findings.ts';
import { type Finding, failed, fine, problem, warning } from '../../../src/connector/finding.ts';
import type { ClassMapping } from '../../../src/connector/mapping/class-mapping.ts';
import type { OptionNames } from '../../../src/connector/option-names.ts';
import { readExpression, textReader } from '../column-text.ts';
import { mayNotEnable, untrackedTables, withoutKey } from '../feed/tracking.ts';
import { shortText } from '../parameters.ts';
import { missingPermissions, permissionError } from '../permissions.ts';
import type { Session } from '../session.ts';
import { quoteTable } from '../sql-text.ts';
import { columnOf } from '../writer/row-source.ts';

/** What may interfere with writing: triggers, a history table, row-level security, indexes that drop duplicates. */
export const STATE =
  'SELECT CONVERT(varchar(10), o.[temporal_type]), CONVERT(varchar(1), o.[is_memory_optimized]), ' +
  '(SELECT COUNT(*) FROM sys.triggers AS t WHERE t.[parent_id] = o.[object_id] AND t.[is_disabled] = 0), ' +
  '(SELECT COUNT(*) FROM sys.triggers AS t WHERE t.[parent_id] = o.[object_id] AND t.[is_disabled] = 0 AND t.[is_instead_of_trigger] = 1), ' +
  '(SELECT COUNT(*) FROM sys.indexes AS i WHERE i.[object_id] = o.[object_id] AND i.[ignore_dup_key] = 1), ' +
  '(SELECT COUNT(*) FROM sys.security_predicates AS s WHERE s.[target_object_id] = o.[object_id]) ' +
  "FROM sys.tables AS o WHERE o.[object_id] = OBJECT_ID(@name, N'U');";

/** All findings about the table of one class and its side tables. */
export async function tableFindings(
  session: Session,
  mapped: ClassMapping,
  names: OptionNames,
): Promise<readonly Finding[]> {
  const side = [...mapped.lists.values(), ...mapped.itemTables.values()].map(({ table }) => table);
  const findings = [
    ...(await trackingFindings(session, mapped.table)),
    ...(await permissionFindings(session, [mapped.table, ...side])),
    ...(await stateFindings(session, mapped.table)),
    ...(await sampleFindings(session, mapped, names)),
  ];
  if (findings.some(({ level }) => level !== 'ok')) return findings;
  const name = quoteTable(mapped.table.table);
  return [fine('tables/usable', `${name} can be read, written and followed`), ...findings];
}

async function trackingFindings(
  session: Session,
  { table, primaryKey }: TableInfo,
): Promise<readonly Finding[]> {
  if (primaryKey.length === 0) return [failed('sqlserver/primary-key', withoutKey(table))];
  const untracked = await untrackedTables(session, [table]);
  if (untracked.length === 0) return [];
  const name = quoteTable(table);
  const { remedy } = mayNotEnable(table);
  const mayAlter = await has(session, name, 'ALTER');
  return [
    mayAlter
      ? fine('sqlserver/tracked-tables', `changes of ${name} will be tracked from the first start on`)
      : problem(
          'sqlserver/tracked-tables',
          `changes of ${name} are not tracked, and the login may not switch that on`,
          remedy,
        ),
  ];
}

export const HAS_PERMISSION = "SELECT CONVERT(varchar(1), HAS_PERMS_BY_NAME(@name, N'OBJECT', @permission));";

async function has(session: Session, name: string, permission: string): Promise<boolean> {
  const [row] = await session.query(HAS_PERMISSION, [
    shortText('name', name),
    shortText('permission', permission),
  ]);
  return row?.[0] === '1';
}

async function permissionFindings(
  session: Session,
  tables: readonly TableInfo[],
): Promise<readonly Finding[]> {
  const missing = await missingPermissions(session, tables);
  return missing.map((lack) => failed('tables/permissions', permissionError([lack])));
}

async function stateFindings(session: Session, { table, columns }: TableInfo): Promise<readonly Finding[]> {
  const name = quoteTable(table);
  const [row] = await session.query(STATE, [shortText('name', name)]);
  if (row === undefined) return [problem('tables/exists', `the table ${name} does not exist`)];
  const [temporal, inMemory, triggers, instead, ignoring, predicates] = row;
  const findings: Finding[] = [];
  if (inMemory === '1') {
    findings.push(
      problem(
        'tables/memory-optimized',
        `${name} is memory-optimized: change tracking does not follow such tables`,
        'leave it out of the models, or make it a table on disk',
      ),
    );
  }
  if (temporal === '2')
    findings.push(
      fine('tables/temporal', `${name} has a history table, which every change of a realm fills`),
    );
  if (Number(instead) > 0) {
    findings.push(
      warning(
        'tables/instead-of-triggers',
        `${name} has a trigger INSTEAD OF writing: what a realm writes may end elsewhere`,
        'make sure that the row itself is written',
      ),
    );
  } else if (Number(triggers) > 0) {
    findings.push(
      fine(
        'tables/triggers',
        `${name} has ${triggers} triggers; what they change comes back to the realm as a change of the database`,
      ),
    );
  }
  if (Number(ignoring) > 0) {
    findings.push(
      warning(
        'tables/ignored-duplicates',
        `an index of ${name} has IGNORE_DUP_KEY: the server drops rows of a realm without a word`,
        'make the index anew without IGNORE_DUP_KEY',
      ),
    );
  }
  if (Number(predicates) > 0) {
    findings.push(
      warning(
        'tables/row-security',
        `row-level security may hide rows of ${name} from the login, and refuse what it writes`,
        'let its predicate take all rows for the login of sqlserverConfig',
      ),
    );
  }
  const readOnly = columns.filter((column) => column.readOnly).map((column) => column.name);
  if (readOnly.length > 0) {
    findings.push(
      fine(
        'tables/generated',
        `the database makes the values of ${readOnly.join(', ')} in ${name}; the realm only reads them`,
      ),
    );
  }
  return findings;
}

async function sampleFindings(
  session: Session,
  mapped: ClassMapping,
  names: OptionNames,
): Promise<readonly Finding[]> {
  const columns = sampledColumns(mapped).map((column) => columnOf(mapped.table, column));
  const list = columns.map((column) => readExpression(column, 't')).join(', ');
  const readers = columns.map(textReader);
  let rows: readonly (readonly (string | null)[])[];
  try {
    rows = await session.query(
      `SELECT TOP (${SAMPLE_ROWS}) ${list} FROM ${quoteTable(mapped.table.table)} AS t;`,
    );
  } catch {
    return []; // the lack of a permission, which is told already
  }
  return valueFindings(
    mapped,
    rows.map((row) => readers.map((read, place) => read(row[place]))),
    names,
  );
}

export const OTHER_RELATION =
  "SELECT CASE o.[type] WHEN 'V' THEN N'a view' WHEN 'SN' THEN N'a synonym' WHEN 'SO' THEN N'a sequence' " +
  "WHEN 'U' THEN N'a history table' WHEN 'P' THEN N'a procedure' WHEN 'TF' THEN N'a function' WHEN 'IF' THEN N'a function' END " +
  'FROM sys.objects AS o WHERE o.[schema_id] = SCHEMA_ID(@schema) AND o.[name] = @name;';

/** What stands under the name of a table that a class needs, when it is no table. */
export async function otherRelation(
  session: Session,
  schema: string,
  name: string,
): Promise<Finding | undefined> {
  const [row] = await session.query(OTHER_RELATION, [shortText('schema', schema), shortText('name', name)]);
  const what = row?.[0];
  if (what == null) return undefined;
  return problem(
    'tables/kind',
    `${tableId({ schema, name })} is ${what}, whose changes no feed can follow`,
    'name the table that it is made from',
  );
}
