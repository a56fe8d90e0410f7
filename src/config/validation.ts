/**
 * Validation of what a person wrote into a configuration. Every mistake is reported at once, each with its path, what
 * was expected, what was found and, for a name that does not exist, the nearest that does. Values under secret names
 * are never shown.
 */
import { z } from 'zod';
import { nearestName } from '../schema/nearest-name.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { isSecretName, redactText } from './secrets.ts';

/** Longer texts are not repeated in a message. */
const LONGEST_SHOWN = 40;
/** A longer list of known names helps nobody. */
const MOST_LISTED = 12;

/** A value that a predicate accepts; `expectation` completes the sentence "expected …". */
export function accepted<T>(expectation: string, accepts: (value: unknown) => value is T): z.ZodType<T, T> {
  // Without `abort: false` a mistake here would keep the rules across options from being checked.
  return z.custom<T>(accepts, { error: expectation, abort: false });
}

export const flag = (): z.ZodBoolean => z.boolean({ error: 'true or false' });

export const text = (expectation = 'a text that is not empty'): z.ZodString =>
  z.string({ error: expectation }).min(1, { error: expectation });

/** A whole number, also as text (as environment variables and the reference's `connect_timeout` give it). */
export function wholeNumber(least: number, most: number, unit = ''): z.ZodType<number, number | string> {
  const expectation = `a whole number${unit === '' ? '' : ` of ${unit}`} from ${least} to ${most}`;
  return z.preprocess(
    (value: number | string) =>
      typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value,
    z.int({ error: expectation }).min(least, { error: expectation }).max(most, { error: expectation }),
  );
}

/** A function; the signature is shown when something else is found. */
export function callback<F extends (...parameters: never[]) => unknown>(signature: string): z.ZodType<F, F> {
  return accepted(`a function ${signature}`, (value): value is F => typeof value === 'function');
}

/** Validates `input` or throws a {@link ConfigError} with every mistake in it. `prefix` starts each path. */
export function validate<S extends z.ZodType>(
  what: string,
  schema: S,
  input: unknown,
  prefix: readonly string[] = [],
): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new ConfigError(what, problemsOf(schema, input, result.error, prefix));
}

/** The mistakes that a failed validation found, in the order of the schema. */
export function problemsOf(
  schema: z.ZodType,
  input: unknown,
  error: z.ZodError,
  prefix: readonly string[] = [],
): readonly ConfigProblem[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      const known = knownNames(schema, path);
      return issue.keys.map((name) => ({
        path: joinPath([...prefix, ...path, name]),
        message: unknownOption(name, known),
      }));
    }
    const found = describe(valueAt(input, path), path.at(-1) ?? '');
    return [{ path: joinPath([...prefix, ...path]), message: `expected ${issue.message}, ${found}` }];
  });
}

/** The message for a name that does not exist among `known`. */
export function unknownOption(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return `unknown option, did you mean ${nearest}?`;
  const list =
    known.length <= MOST_LISTED ? `, known here: ${known.join(', ')}` : ', see docs/configuration.md';
  return known.length === 0 ? 'unknown option' : `unknown option${list}`;
}

/** Names that an object schema knows at a path below `schema`. */
function knownNames(schema: z.ZodType, path: readonly string[]): readonly string[] {
  const object = unwrap(schema);
  if (object instanceof z.ZodObject) {
    const shape: Record<string, unknown> = object.shape;
    const [first, ...rest] = path;
    if (first === undefined) return Object.keys(shape);
    const next = shape[first];
    return next instanceof z.ZodType ? knownNames(next, rest) : [];
  }
  if (object instanceof z.ZodArray && object.element instanceof z.ZodType) {
    return knownNames(object.element, path.slice(1));
  }
  if (object instanceof z.ZodRecord && object.valueType instanceof z.ZodType) {
    return knownNames(object.valueType, path.slice(1));
  }
  return [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const inner = schema.unwrap();
    return inner instanceof z.ZodType ? unwrap(inner) : schema;
  }
  if (schema instanceof z.ZodPipe) {
    // A preprocessing step comes first in its pipe, a transforming step last; the other side is what is described.
    const side = schema.in instanceof z.ZodTransform ? schema.out : schema.in;
    return side instanceof z.ZodType ? unwrap(side) : schema;
  }
  return schema;
}

function valueAt(input: unknown, path: readonly string[]): unknown {
  let value = input;
  for (const name of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

function describe(value: unknown, name: string): string {
  if (value === undefined) return 'found nothing';
  if (value === null) return 'found null';
  if (typeof value === 'string') {
    if (value === '') return 'found an empty text';
    const hidden = isSecretName(name) || value.length > LONGEST_SHOWN || redactText(value) !== value;
    return hidden ? 'found another text' : `found ${JSON.stringify(value)}`;
  }
  if (typeof value === 'number' || typeof value === 'boolean') return `found ${value}`;
  if (Array.isArray(value)) return 'found a list';
  if (typeof value === 'function') return 'found a function';
  return typeof value === 'object' ? 'found an object' : `found a ${typeof value}`;
}

function joinPath(path: readonly string[]): string {
  return path.reduce(
    (joined, part) =>
      /^\d+$/.test(part) ? `${joined}[${part}]` : joined === '' ? part : `${joined}.${part}`,
    '',
  );
}
