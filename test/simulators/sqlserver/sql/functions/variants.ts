/** SQL_VARIANT_PROPERTY. */
import type { Datum, SqlType, SqlValue } from '../../contract.ts';
import { expression } from '../expressions/coerce.ts';
import type { Compiled } from '../expressions/scope.ts';
import { isBinary, isCharacter, isDateOrTime, isNumeric, isUnicode } from '../types/families.ts';
import { decimalShape } from '../types/precedence.ts';
import { storedBytes } from '../types/stored-bytes.ts';
import { messageName } from '../types/type-names.ts';
import { type Application, type FunctionTable, textArgument } from './definition.ts';

const INT: SqlType = { kind: 'int' };
const NAME: SqlType = { kind: 'nvarchar', length: 128 };
/** The tag, and what describes the type, beside the value itself. */
const OVERHEAD_OF_VARIANT = 2;

function property<Env>(application: Application<Env>): Compiled<Env> {
  const { args, scope } = application;
  const value = args[0]!;
  const name = textArgument(application, 2);
  const collation = value.collation?.name ?? scope.session.collation;
  const evaluate = (env: Env): Datum => {
    const [datum, wanted] = [value.evaluate(env), name.evaluate(env)];
    if (datum === null || wanted === null) return null;
    const inner = typeof datum === 'object' && 'type' in datum ? datum : { type: value.type, value: datum };
    return propertyOf((wanted as string).toLowerCase(), inner.type, inner.value, collation);
  };
  return expression<Env>({ kind: 'sql_variant' }, [value, name], evaluate, { nullable: true });
}

function propertyOf(name: string, type: SqlType, value: SqlValue, collation: string): Datum {
  const int = (number: number): Datum => ({ type: INT, value: BigInt(number) });
  switch (name) {
    case 'basetype':
      return { type: NAME, value: messageName(type) };
    case 'precision':
      return int(
        isNumeric(type) ? precisionOf(type) : isDateOrTime(type) && 'scale' in type ? type.scale : 0,
      );
    case 'scale':
      return int('scale' in type ? type.scale : isNumeric(type) ? decimalShape(type).scale : 0);
    case 'maxlength':
      return int(maximalLength(type, value, collation));
    case 'totalbytes':
      return int(storedBytes(value, type, collation) + OVERHEAD_OF_VARIANT);
    case 'collation':
      return isCharacter(type) ? { type: NAME, value: collation } : null;
    default:
      return null;
  }
}

function precisionOf(type: SqlType): number {
  if (type.kind === 'float') return 53;
  return type.kind === 'real' ? 24 : decimalShape(type).precision;
}

function maximalLength(type: SqlType, value: SqlValue, collation: string): number {
  if (!isCharacter(type) && !isBinary(type)) return storedBytes(value, type, collation);
  const length = type.length === 'max' ? 8000 : type.length;
  return isUnicode(type) ? length * 2 : length;
}

export const VARIANT_FUNCTIONS: FunctionTable = {
  SQL_VARIANT_PROPERTY: { minimal: 2, maximal: 2, compile: property },
};
