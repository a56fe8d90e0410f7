/** COLLATIONPROPERTY. */
import type { Datum } from '../../contract.ts';
import type { Compiled } from '../expressions/scope.ts';
import { notSimulated } from '../failures.ts';
import { parseCollationName } from '../types/collation-names.ts';
import { type Application, type FunctionTable, INT, strict, textArgument } from './definition.ts';

/** The property `Version` of collations by the version in their name. */
const VERSIONS: Readonly<Record<number, number>> = { 80: 0, 90: 1, 100: 2, 140: 3 };

function collationProperty<Env>(application: Application<Env>): Compiled<Env> {
  const parts = [textArgument(application, 1), textArgument(application, 2)];
  return strict(
    { kind: 'sql_variant' },
    parts,
    (name, property): Datum => {
      const collation = parseCollationName(name as string);
      const wanted = (property as string).toLowerCase();
      if (collation === undefined) return null;
      if (wanted === 'codepage') return { type: INT, value: BigInt(collation.codePage) };
      if (wanted === 'version') return { type: INT, value: BigInt(VERSIONS[collation.version]!) };
      if (wanted === 'lcid' || wanted === 'comparisonstyle')
        throw notSimulated(`The property ${property as string} of collations`);
      return null;
    },
    { nullable: true },
  );
}

export const COLLATION_FUNCTIONS: FunctionTable = {
  COLLATIONPROPERTY: { minimal: 2, maximal: 2, compile: collationProperty },
};
