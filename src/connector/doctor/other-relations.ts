/** Classes whose name leads to something that is no table: a view, a partition and the like. */
import type { ClassDefinition } from '../../schema/definition.ts';
import { type Catalog, tableId } from '../dialect.ts';
import type { Finding } from '../finding.ts';
import { tableNameFor } from '../mapping/names.ts';
import type { ConnectorOptions } from '../options.ts';

/** `look` says what stands under a name that no table has. */
export async function otherRelations(
  { mapping }: ConnectorOptions,
  schema: string,
  catalog: Catalog,
  definitions: ReadonlyMap<string, ClassDefinition>,
  look: (name: string) => Promise<Finding | undefined>,
): Promise<readonly Finding[]> {
  const tables = [...catalog.values()].map(({ table }) => table.name);
  const found: Finding[] = [];
  for (const { name, kind } of definitions.values()) {
    if (kind === 'embedded') continue;
    const wanted = tableOrUndefined(() => tableNameFor(name, tables, mapping));
    if (wanted === undefined || catalog.has(tableId({ schema, name: wanted }))) continue;
    const other = await look(wanted);
    if (other !== undefined) found.push(other);
  }
  return found;
}

/** Naming functions that are wrong are told of elsewhere. */
function tableOrUndefined(name: () => string): string | undefined {
  try {
    return name();
  } catch {
    return undefined;
  }
}
