/** Literals as operands, brought to the type of what they are compared with. */
import { NULL, type PrimaryKey, type ScalarValue } from '../schema/value.ts';
import { NO_DEPENDENCIES } from './dependencies.ts';
import { decimalOf, isInt64, numberValue, valueText } from './literal-text.ts';
import { asInteger } from './membership.ts';
import { areComparable, isNumericType, type Operand, type OperandType } from './operand.ts';
import type { Scope } from './resolve-path.ts';
import type { ListNode, LiteralNode } from './syntax.ts';
import { TYPE_NAMES, typeBits, typeName } from './type-names.ts';

/** What is on the other side of the operator; undefined when that is a constant too. */
export type Counterpart = Pick<Operand, 'type' | 'target' | 'text'> | undefined;

/** Throws `QueryError` when the literal cannot be compared with its counterpart. */
export function literalOperand(node: LiteralNode, other: Counterpart, scope: Scope): Operand {
  const value = converted(node, other, scope);
  const type = other?.type === 'typeName' ? 'typeName' : value.type;
  if (other !== undefined && !areComparable(other.type, type))
    throw scope.fault(
      node.at,
      `'${other.text}' of type '${other.type}' cannot be compared with a value of type '${type}'`,
    );
  if (other?.type === 'link' && value.type === 'link' && other.target !== value.table)
    throw scope.fault(node.at, `'${other.text}' links to '${other.target}', not to '${value.table}'`);
  return {
    at: node.at,
    type,
    ...(value.type === 'link' ? { target: value.table } : {}),
    text: constantText(value, type),
    binding: 2,
    dependencies: NO_DEPENDENCIES,
    constant: [value],
    isList: false,
    read: () => value,
    groups: () => [{ list: false, values: [value] }],
  };
}

/** Elements that cannot be compared with the other side are kept: they equal nothing. */
export function listOperand(node: ListNode, other: Counterpart, scope: Scope): Operand {
  const values = node.items.map((item) => converted(item, other, scope));
  const types = new Set(values.map(({ type }) => type));
  const [only] = types;
  const type: OperandType = other?.type === 'typeName' ? 'typeName' : types.size === 1 ? only! : 'mixed';
  const text = `{${values.map((value) => constantText(value, type)).join(', ')}}`;
  const groups = [{ list: true, values }];
  return {
    at: node.at,
    type: type === 'typeName' ? 'typeName' : 'mixed',
    ...(node.quantifier === undefined ? {} : { quantifier: node.quantifier }),
    text: node.quantifier === undefined ? text : `${node.quantifier.toUpperCase()} ${text}`,
    binding: 2,
    dependencies: NO_DEPENDENCIES,
    constant: values,
    isList: true,
    groups: () => groups,
  };
}

export function constantText(value: ScalarValue, type: OperandType): string {
  return type === 'typeName' && value.type === 'int'
    ? `"${typeName(Number(value.value))}"`
    : valueText(value);
}

function converted(node: LiteralNode, other: Counterpart, scope: Scope): ScalarValue {
  const { value } = node;
  if (node.objectOf !== undefined) return objectLink(node, node.objectOf, scope);
  if (other === undefined) return value;
  if (other.type === 'typeName') return typeValue(node, scope);
  if (other.type === 'data' && node.bytes !== undefined) return { type: 'data', value: node.bytes };
  if (value.type === 'double') return convertedDouble(node, value.value, other, scope);
  if (value.type === 'string' && isNumericType(other.type))
    return convertedString(node, value.value, other, scope);
  return value;
}

function convertedDouble(
  node: LiteralNode,
  value: number,
  other: NonNullable<Counterpart>,
  scope: Scope,
): ScalarValue {
  switch (other.type) {
    case 'int':
      if (!Number.isFinite(value)) throw scope.fault(node.at, `${value} cannot be compared with an int`);
      return Number.isInteger(value) && isInt64(BigInt(value))
        ? { type: 'int', value: BigInt(value) }
        : node.value;
    case 'float':
      return { type: 'float', value: Math.fround(value) };
    case 'decimal128':
      return (node.decimal === undefined ? undefined : decimalOf(node.decimal)) ?? node.value;
    default:
      return node.value;
  }
}

/** A string with a number stands for the number where only a number makes sense. */
function convertedString(
  node: LiteralNode,
  text: string,
  other: NonNullable<Counterpart>,
  scope: Scope,
): ScalarValue {
  if (other.type === 'decimal128') return decimalOf(text) ?? node.value;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return node.value;
  const number = numberValue(text);
  if (number === undefined || number.value.type === 'int') return number?.value ?? node.value;
  const { value } = number;
  return value.type === 'double' ? convertedDouble({ ...node, value }, value.value, other, scope) : value;
}

function typeValue({ at, value }: LiteralNode, scope: Scope): ScalarValue {
  if (value.type !== 'string')
    throw scope.fault(
      at,
      `'@type' is compared with the name of a type in quotes, not with a value of type '${value.type}'`,
    );
  const bits = typeBits(value.value);
  if (bits === undefined)
    throw scope.fault(at, `'${value.value}' is no name of a type; there are ${TYPE_NAMES.join(', ')}`);
  return { type: 'int', value: BigInt(bits) };
}

/** `obj("Class", key)`; the class may be written with the prefix that tables have in a client's file. */
function objectLink({ at, value }: LiteralNode, name: string, scope: Scope): ScalarValue {
  const table = scope.schema.has(name) ? name : name.replace(/^class_/, '');
  const definition = scope.schema.get(table);
  if (definition?.primaryKey === undefined) throw scope.fault(at, `there is no class '${name}' to link to`);
  const key = keyFor(value, definition.primaryKey.type);
  if (key === undefined || (key.type === 'null' && !definition.primaryKey.nullable))
    throw scope.fault(
      at,
      `the key of class '${table}' is of type '${definition.primaryKey.type}', not '${value.type}'`,
    );
  return { type: 'link', table, key };
}

/** A literal as primary key of the given type, or undefined when it can be none. Generated keys are written as `hi-lo`. */
export function keyFor(value: ScalarValue, type: string): PrimaryKey | undefined {
  if (value.type === 'null') return NULL;
  if (type === 'int') {
    const integer =
      value.type === 'double' ||
      value.type === 'float' ||
      value.type === 'int' ||
      value.type === 'decimal128';
    const exact = integer ? asInteger(value) : undefined;
    return exact === undefined ? undefined : { type: 'int', value: exact };
  }
  if (type === 'globalKey') {
    const parts = value.type === 'string' ? /^(\d{1,20})-(\d{1,20})$/.exec(value.value) : null;
    return parts === null ? undefined : { type: 'globalKey', hi: BigInt(parts[1]!), lo: BigInt(parts[2]!) };
  }
  if (value.type !== type) return undefined;
  return value.type === 'string' || value.type === 'objectId' || value.type === 'uuid' ? value : undefined;
}
