/** Which type two operands have together. */
import type { SqlKind, SqlType } from '../../contract.ts';
import { isBinary, isCharacter, isInteger, isMoney, isUnicode } from './families.ts';

/** From the strongest to the weakest. */
const PRECEDENCE: readonly SqlKind[] = [
  'hierarchyid',
  'sql_variant',
  'xml',
  'datetimeoffset',
  'datetime2',
  'datetime',
  'smalldatetime',
  'date',
  'time',
  'float',
  'real',
  'decimal',
  'money',
  'smallmoney',
  'bigint',
  'int',
  'smallint',
  'tinyint',
  'bit',
  'ntext',
  'text',
  'image',
  'rowversion',
  'uniqueidentifier',
  'nvarchar',
  'nchar',
  'varchar',
  'char',
  'varbinary',
  'binary',
];
const RANK = new Map(PRECEDENCE.map((kind, index) => [kind, index]));
export const MAXIMAL_PRECISION = 38;
export const MAXIMAL_BYTES = 8000;
export const MAXIMAL_NATIONAL = 4000;

/** The precision and scale with which a number enters decimal arithmetic. */
export function decimalShape(type: SqlType): { readonly precision: number; readonly scale: number } {
  switch (type.kind) {
    case 'decimal':
      return type;
    case 'bit':
      return { precision: 1, scale: 0 };
    case 'tinyint':
      return { precision: 3, scale: 0 };
    case 'smallint':
      return { precision: 5, scale: 0 };
    case 'int':
      return { precision: 10, scale: 0 };
    case 'money':
      return { precision: 19, scale: 4 };
    case 'smallmoney':
      return { precision: 10, scale: 4 };
    default:
      return { precision: 19, scale: 0 };
  }
}

/** The type of a CASE, a COALESCE, a UNION or a comparison of both. */
export function commonType(left: SqlType, right: SqlType): SqlType {
  const [strong, weak] = RANK.get(left.kind)! <= RANK.get(right.kind)! ? [left, right] : [right, left];
  if (strong.kind === 'decimal') {
    if (weak.kind !== 'decimal' && weak.kind !== 'bit' && !isInteger(weak) && !isMoney(weak)) return strong;
    return commonDecimal(strong, decimalShape(weak));
  }
  if (isCharacter(strong) && isCharacter(weak))
    return { kind: varying(strong.kind, weak.kind), length: longest(strong, weak) };
  if (isBinary(strong) && isBinary(weak))
    return {
      kind: strong.kind,
      length: strong.length === 'max' || weak.length === 'max' ? 'max' : Math.max(strong.length, weak.length),
    };
  if ('scale' in strong && 'scale' in weak && strong.kind !== weak.kind) return strong;
  if ('scale' in strong && 'scale' in weak)
    return { ...strong, scale: Math.max(strong.scale, weak.scale) } as SqlType;
  return strong;
}

function commonDecimal(
  strong: { precision: number; scale: number },
  weak: { precision: number; scale: number },
): SqlType {
  const scale = Math.max(strong.scale, weak.scale);
  const whole = Math.max(strong.precision - strong.scale, weak.precision - weak.scale);
  const precision = Math.min(scale + whole, MAXIMAL_PRECISION);
  return { kind: 'decimal', precision, scale: Math.min(scale, Math.max(precision - whole, 0)) };
}

type CharacterKind = 'char' | 'varchar' | 'nchar' | 'nvarchar';

/** Varying when either is, national when either is. */
function varying(left: CharacterKind, right: CharacterKind): CharacterKind {
  const national = left.startsWith('n') || right.startsWith('n');
  const variable = left.includes('var') || right.includes('var');
  if (national) return variable ? 'nvarchar' : 'nchar';
  return variable ? 'varchar' : 'char';
}

function longest(
  left: { readonly kind: CharacterKind; readonly length: number | 'max' },
  right: { readonly kind: CharacterKind; readonly length: number | 'max' },
): number | 'max' {
  if (left.length === 'max' || right.length === 'max') return 'max';
  const length = Math.max(left.length, right.length);
  return left.kind.startsWith('n') || right.kind.startsWith('n')
    ? Math.min(length, MAXIMAL_NATIONAL)
    : length;
}

/** The type of `left + right` for strings. */
export function concatenationType(
  left: { readonly kind: CharacterKind; readonly length: number | 'max' },
  right: { readonly kind: CharacterKind; readonly length: number | 'max' },
): SqlType {
  const kind = varying(left.kind, right.kind);
  const maximum = isUnicode({ kind, length: 1 }) ? MAXIMAL_NATIONAL : MAXIMAL_BYTES;
  if (left.length === 'max' || right.length === 'max')
    return { kind: kind.startsWith('n') ? 'nvarchar' : 'varchar', length: 'max' };
  return { kind, length: Math.min(left.length + right.length, maximum) };
}
