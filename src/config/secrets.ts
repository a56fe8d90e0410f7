/** Keeps secrets out of messages and logs: passwords, tokens, keys, and passwords inside connection strings. */

const SECRET_NAME = /pass(word|wd|phrase)?$|secret|token|api_?key|private_?key|authorization|credential/i;
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]*@/gi;
const KEYWORD_PASSWORD = /\b(password|passwd|pwd)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s;&'"]+)/gi;
const BEARER = /\b(bearer)\s+[a-z0-9._~+/=-]+/gi;
/** `header.payload.signature`, as access and refresh tokens are. */
const JSON_WEB_TOKEN = /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/g;

/** What stands in place of a secret. */
export const REDACTED = '[secret]';
/** Nested deeper than this, fields of a log line are cut off. */
const DEEPEST = 6;

/** True for names under which secrets are kept, such as `password` and `refreshToken`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Takes secrets out of text: passwords in URLs and connection strings, bearer tokens, JSON web tokens. */
export function redactText(text: string): string {
  return text
    .replace(URL_PASSWORD, `$1:${REDACTED}@`)
    .replace(KEYWORD_PASSWORD, `$1=${REDACTED}`)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(JSON_WEB_TOKEN, REDACTED);
}

/** A copy of a value for display, with secrets replaced at any depth and what JSON cannot hold as text. */
export function redactValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function') return '[function]';
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  if (value instanceof Error) return redactError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= DEEPEST) return '[…]';
  if (value instanceof Map) return redactEntries([...value], depth);
  if (value instanceof Set) return [...value].map((item) => redactValue(item, depth + 1));
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return redactEntries(Object.entries(value), depth);
}

function redactEntries(entries: readonly (readonly [unknown, unknown])[], depth: number): unknown {
  return Object.fromEntries(
    entries.map(([name, item]) => [
      String(name),
      isSecretName(String(name)) && typeof item !== 'boolean' && item !== undefined && item !== null
        ? REDACTED
        : redactValue(item, depth + 1),
    ]),
  );
}

function redactError(error: Error, depth: number): unknown {
  return {
    name: error.name,
    message: redactText(error.message),
    ...('code' in error ? { code: error.code } : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined || depth >= DEEPEST ? {} : { cause: redactValue(error.cause, depth + 1) }),
  };
}
