/** JSON as JSON_VALUE and OPENJSON need it: numbers keep the text that they were written with. */
import { SqlFailure } from '../contract.ts';

export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Json = null | boolean | string | JsonNumber | Json[] | { readonly [name: string]: Json };

type ReviverContext = { readonly source?: string };
type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: ReviverContext) => unknown,
) => Json;

/** 13609 for what is no JSON. */
export function parseJson(text: string): Json {
  try {
    return (JSON.parse as unknown as ParseWithSource)(text, (_key, value, { source }) =>
      typeof value === 'number' ? new JsonNumber(source ?? String(value)) : value,
    );
  } catch (error) {
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1] ?? '0';
    const character = text[Number(position)] ?? '.';
    throw new SqlFailure(
      13609,
      `JSON text is not properly formatted. Unexpected character '${character}' is found at position ${position}.`,
      { state: 4 },
    );
  }
}

/** The JSON text of a value, with numbers as they were written. */
export function jsonText(value: Json): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([name, one]) => `${JSON.stringify(name)}:${jsonText(one)}`)
      .join(',')}}`;
  }
  return JSON.stringify(value);
}

export type JsonPath = { readonly strict: boolean; readonly steps: readonly (string | number)[] };

/** `$`, `$.a."b c"[0]`, with `lax` or `strict` before it; 13607 for anything else. */
export function parsePath(text: string): JsonPath {
  const mode = /^\s*(lax|strict)\s+/i.exec(text);
  let rest = text.slice(mode?.[0].length ?? 0).trim();
  const wrong = () =>
    new SqlFailure(
      13607,
      `JSON path is not properly formatted. Unexpected character '${rest[0] ?? '.'}' is found at position ${text.length - rest.length}.`,
      { state: 4 },
    );
  if (!rest.startsWith('$')) throw wrong();
  rest = rest.slice(1);
  const steps: (string | number)[] = [];
  while (rest !== '') {
    const step = /^\.([\p{L}_][\p{L}\p{N}_]*)|^\."((?:[^"\\]|\\.)*)"|^\[(\d+)\]/u.exec(rest);
    if (!step) throw wrong();
    if (step[1] !== undefined) steps.push(step[1]);
    else if (step[2] !== undefined) steps.push(JSON.parse(`"${step[2]}"`) as string);
    else steps.push(Number(step[3]));
    rest = rest.slice(step[0].length);
  }
  return { strict: mode?.[1]?.toLowerCase() === 'strict', steps };
}

/** What a path leads to; undefined when there is nothing (13608 in strict mode). */
export function followPath(value: Json, path: JsonPath): Json | undefined {
  let at: Json | undefined = value;
  for (const step of path.steps) {
    if (typeof step === 'number') at = Array.isArray(at) ? at[step] : undefined;
    else if (at !== null && typeof at === 'object' && !Array.isArray(at) && !(at instanceof JsonNumber)) {
      at = Object.hasOwn(at, step) ? at[step] : undefined;
    } else at = undefined;
    if (at === undefined) break;
  }
  if (at === undefined && path.strict) {
    throw new SqlFailure(13608, 'Property cannot be found on the specified JSON path.', { state: 5 });
  }
  return at;
}
