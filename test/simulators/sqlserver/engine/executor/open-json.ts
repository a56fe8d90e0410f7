/** OPENJSON: rows out of JSON text, with columns as WITH says, or key, value and type. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import type { OpenJsonColumn, TableSource } from '../../sql/ast.ts';
import { followPath, type Json, JsonNumber, jsonText, parseJson, parsePath } from '../../sql/json-text.ts';
import { convertDatum } from '../../sql/types/convert.ts';
import { resolveTypeName } from '../../sql/types/type-names.ts';
import { compileInputs, computedLeaf } from './computed-source.ts';
import type { Data, Env } from './environment.ts';
import type { Leaf } from './producers.ts';
import type { QueryScope, SourceColumn } from './query-scope.ts';
import { addSource } from './sources.ts';

const TEXT: SqlType = { kind: 'nvarchar', length: 'max' };

export function bindOpenJson(
  source: Extract<TableSource, { readonly kind: 'openJson' }>,
  scope: QueryScope,
): Leaf {
  if (scope.owner.currentDatabase.compatibilityLevel < 130) {
    throw new SqlFailure(208, "Invalid object name 'OPENJSON'.", { line: source.line });
  }
  const inputs = source.path ? [source.text, source.path] : [source.text];
  const { compiled, constant } = compileInputs(inputs, scope);
  const columns = source.columns ? declaredColumns(source.columns, scope) : defaultColumns();
  const make = source.columns ? declaredRow(source.columns, columns) : undefined;
  const qualifier = source.alias ? [source.alias] : ['OPENJSON'];
  const bound = addSource(scope, qualifier, columns, undefined, source.columnAliases, source.line);
  return computedLeaf(bound, constant, (env) => {
    const text = compiled[0]!.evaluate(env);
    if (text === null) return [];
    if (typeof text !== 'string') {
      throw new SqlFailure(8116, 'Argument data type is invalid for argument 1 of OPENJSON function.');
    }
    const pathText = compiled[1]?.evaluate(env);
    const path = typeof pathText === 'string' ? parsePath(pathText) : parsePath('$');
    const found = followPath(parseJson(text), path);
    if (found === undefined || found === null || typeof found !== 'object' || found instanceof JsonNumber) {
      return [];
    }
    if (!make) return keyValueRows(found);
    return (Array.isArray(found) ? found : [found]).map((item) => make(item, env));
  });
}

function declaredColumns(columns: readonly OpenJsonColumn[], scope: QueryScope): SourceColumn[] {
  const collation = { name: scope.owner.currentDatabase.collation, label: 'implicit' as const };
  return columns.map((column, slot) => {
    const type = resolveTypeName(column.type, 'column');
    return { name: column.name, slot, type, nullable: true, ...(isText(type) ? { collation } : {}) };
  });
}

function isText(type: SqlType): boolean {
  return /char$/.test(type.kind);
}

function declaredRow(
  declared: readonly OpenJsonColumn[],
  columns: readonly SourceColumn[],
): (item: Json, env: Env) => Data {
  const paths = declared.map((column) => parsePath(column.path ?? `$.${JSON.stringify(column.name)}`));
  return (item, env) =>
    paths.map((path, at): Datum => {
      const value = followPath(item, path);
      if (value === undefined || value === null) return null;
      const { type } = columns[at]!;
      const nested = typeof value === 'object' && !(value instanceof JsonNumber);
      if (declared[at]!.asJson) return nested ? jsonText(value) : null;
      if (nested) return null;
      const text = value instanceof JsonNumber ? value.text : String(value);
      if (type.kind === 'nvarchar' && type.length === 'max') return text;
      return convertDatum(text, TEXT, type, env.run.session.conversion);
    });
}

function defaultColumns(): SourceColumn[] {
  return [
    {
      name: 'key',
      slot: 0,
      type: { kind: 'nvarchar', length: 4000 },
      nullable: false,
      collation: { name: 'Latin1_General_BIN2', label: 'implicit' },
    },
    { name: 'value', slot: 1, type: TEXT, nullable: true },
    { name: 'type', slot: 2, type: { kind: 'tinyint' }, nullable: false },
  ];
}

function keyValueRows(found: Json[] | { readonly [name: string]: Json }): Data[] {
  const entries: [string, Json][] = Array.isArray(found)
    ? found.map((value, at) => [String(at), value])
    : Object.entries(found);
  return entries.map(([key, value]): Data => {
    if (value === null) return [key, null, 0n];
    if (typeof value === 'string') return [key, value, 1n];
    if (value instanceof JsonNumber) return [key, value.text, 2n];
    if (typeof value === 'boolean') return [key, String(value), 3n];
    return [key, jsonText(value), Array.isArray(value) ? 4n : 5n];
  });
}
