/** What a start would make in the database, since it may be a mistake in a name. */
import type { ClassDefinition } from '../../schema/definition.ts';
import { generatedKeys } from '../../schema/definitions.ts';
import { parseSchema } from '../../schema/notation.ts';
import type { Catalog, SourceDialect, WantedTable } from '../dialect.ts';
import { type Finding, warning } from '../finding.ts';
import { wantedTables } from '../mapping/wanted-tables.ts';
import type { ConnectorOptions } from '../options.ts';

export function plannedFindings(
  { createTables, models, mapping }: ConnectorOptions,
  database: {
    readonly schema: string;
    readonly dialect: SourceDialect;
    readonly catalog: Catalog;
    readonly definitions: ReadonlyMap<string, ClassDefinition>;
  },
  missingStatements: (wanted: readonly WantedTable[]) => readonly string[],
): readonly Finding[] {
  if (!createTables) return [];
  let statements: readonly string[];
  try {
    const generated = generatedKeys(parseSchema(models));
    statements = missingStatements(wantedTables({ ...database, options: mapping, generatedKeys: generated }));
  } catch {
    return []; // a mistake in the models, which is told already
  }
  return statements.map((statement) =>
    warning(
      'models/planned',
      `the start runs ${statement}`,
      `correct the names, or set ${mapping.optionNames.createTables}: false, if the database should stay as it is`,
    ),
  );
}
