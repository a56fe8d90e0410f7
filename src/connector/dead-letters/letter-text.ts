/**
 * Merged instructions as JSON text that people can read and that reads back exactly: every value keeps its type, 64-bit
 * integers are decimal texts, bytes base64, and floating point numbers that JSON lacks are texts. Values of secret
 * properties are left out; an attempt to apply the letter takes them from the realm.
 */
import { z } from 'zod';
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';
import { type PrimaryKey, type ScalarValue, VALUE_TYPES } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';

/** Stands for a value that a letter does not show. */
export type SecretValue = { readonly type: 'secret' };
export type LetterValue = StateValue | SecretValue;

type OnObject = { readonly table: string; readonly key: PrimaryKey };
type OnList = OnObject & { readonly property: string };

/** A merged instruction as a letter holds it. */
export type LetterInstruction =
  | (OnObject & { readonly type: 'INSERT' | 'SET'; readonly values: ReadonlyMap<string, LetterValue> })
  | (OnObject & { readonly type: 'DELETE' })
  | (OnList & {
      readonly type: 'LIST_SET' | 'LIST_INSERT';
      readonly index: number;
      readonly target: LetterValue;
    })
  | (OnList & { readonly type: 'LIST_ERASE'; readonly index: number })
  | (OnList & { readonly type: 'LIST_CLEAR' })
  | Extract<MergedInstruction, { type: 'CLEAR' | 'ADD_TYPE' | 'ADD_PROPERTIES' }>;

const SECRET: SecretValue = { type: 'secret' };

/** `isSecret` says of which properties no value may be shown. */
export function letterText(
  instructions: readonly MergedInstruction[],
  isSecret: (className: string, property: string) => boolean,
): string {
  return JSON.stringify(
    instructions.map((instruction) => withoutSecrets(instruction, isSecret)),
    toJson,
  );
}

function withoutSecrets(
  instruction: MergedInstruction,
  isSecret: (className: string, property: string) => boolean,
): LetterInstruction {
  switch (instruction.type) {
    case 'INSERT':
    case 'SET': {
      const { table } = instruction;
      const values = new Map<string, LetterValue>();
      for (const [name, value] of instruction.values)
        values.set(name, isSecret(table, name) ? SECRET : value);
      return { ...instruction, values };
    }
    case 'LIST_SET':
    case 'LIST_INSERT':
      return isSecret(instruction.table, instruction.property)
        ? { ...instruction, target: SECRET }
        : instruction;
    default:
      return instruction;
  }
}

function toJson(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const written = this[key]; // Node's buffers have made something else of themselves before they come here
  if (written instanceof Uint8Array) return Buffer.from(written).toString('base64');
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}

const integer = z
  .string()
  .regex(/^-?\d+$/)
  .transform(BigInt);
/** `null` is what earlier versions wrote for the numbers that JSON lacks. */
const float = z
  .union([z.number(), z.string(), z.null()])
  .transform((value) => (value === null ? Number.NaN : Number(value)));
const bytes = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

const keySchema: z.ZodType<PrimaryKey> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('null') }),
  z.object({ type: z.literal('int'), value: integer }),
  z.object({ type: z.literal('string'), value: z.string() }),
  z.object({ type: z.literal('objectId'), value: z.string() }),
  z.object({ type: z.literal('uuid'), value: z.string() }),
  z.object({ type: z.literal('globalKey'), hi: integer, lo: integer }),
]);

const scalarSchemas = [
  z.object({ type: z.literal('null') }),
  z.object({ type: z.literal('int'), value: integer }),
  z.object({ type: z.literal('bool'), value: z.boolean() }),
  z.object({ type: z.literal('string'), value: z.string() }),
  z.object({ type: z.literal('data'), value: bytes }),
  z.object({ type: z.literal('date'), seconds: integer, nanoseconds: float }),
  z.object({ type: z.literal('float'), value: float }),
  z.object({ type: z.literal('double'), value: float }),
  z.object({
    type: z.literal('decimal128'),
    coefficient: integer,
    exponent: z.number(),
    negative: z.boolean(),
  }),
  z.object({ type: z.literal('objectId'), value: z.string() }),
  z.object({ type: z.literal('uuid'), value: z.string() }),
  z.object({ type: z.literal('link'), table: z.string(), key: keySchema }),
] as const;
const scalarSchema: z.ZodType<ScalarValue> = z.discriminatedUnion('type', scalarSchemas);

const map = <T>(schema: z.ZodType<T>) =>
  z.record(z.string(), schema).transform((entries) => new Map(Object.entries(entries)));

const stateSchema: z.ZodType<StateValue> = z.lazy(() =>
  z.discriminatedUnion('type', [
    ...scalarSchemas,
    z.object({ type: z.literal('object'), fields: map(stateSchema) }),
    z.object({ type: z.literal('list'), items: z.array(stateSchema) }),
    z.object({ type: z.literal('dictionary'), entries: map(stateSchema) }),
    z.object({ type: z.literal('set'), items: map(scalarSchema) }),
  ]),
);
const valueSchema: z.ZodType<LetterValue> = z.union([z.object({ type: z.literal('secret') }), stateSchema]);

const columnSchema: z.ZodType<ColumnDefinition> = z.object({
  type: z.enum(VALUE_TYPES),
  nullable: z.boolean(),
  collection: z.enum(['single', 'list', 'dictionary', 'set']),
  linkTarget: z.string().exactOptional(),
});
const classSchema: z.ZodType<ClassDefinition> = z.object({
  name: z.string(),
  kind: z.enum(['topLevel', 'embedded', 'asymmetric']),
  primaryKey: z
    .object({
      field: z.string(),
      type: z.enum(['int', 'string', 'objectId', 'uuid', 'globalKey']),
      nullable: z.boolean(),
    })
    .exactOptional(),
  columns: map(columnSchema),
});

const onObject = { table: z.string(), key: keySchema };
const onList = { ...onObject, property: z.string() };
const instructionSchema: z.ZodType<LetterInstruction> = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['INSERT', 'SET']), ...onObject, values: map(valueSchema) }),
  z.object({ type: z.literal('DELETE'), ...onObject }),
  z.object({ type: z.literal('CLEAR'), table: z.string() }),
  z.object({ type: z.enum(['LIST_SET', 'LIST_INSERT']), ...onList, index: z.number(), target: valueSchema }),
  z.object({ type: z.literal('LIST_ERASE'), ...onList, index: z.number() }),
  z.object({ type: z.literal('LIST_CLEAR'), ...onList }),
  z.object({ type: z.literal('ADD_TYPE'), definition: classSchema }),
  z.object({ type: z.literal('ADD_PROPERTIES'), table: z.string(), columns: map(columnSchema) }),
]);

/** The instructions of a letter; `undefined` for text that {@link letterText} did not make. */
export function readLetterText(text: string): readonly LetterInstruction[] | undefined {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    return undefined;
  }
  return z.array(instructionSchema).safeParse(written).data;
}
