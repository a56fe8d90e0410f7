/** Bound values of statements. Their declared types are always the same, so that the server keeps one plan for a text. */
import { type Request, TYPES } from 'tedious';

export type SqlParameter = {
  /** Without `@`. */
  readonly name: string;
} & (
  | { readonly type: 'nvarchar' | 'nvarchar(max)'; readonly value: string | null }
  | { readonly type: 'varbinary' | 'varbinary(128)' | 'varbinary(max)'; readonly value: Buffer | null }
  | { readonly type: 'bigint'; readonly value: bigint | string | number | null }
  | { readonly type: 'int'; readonly value: number | null }
);

/** What `nvarchar` holds at most, which is also how it is declared. */
const LONGEST_TEXT = 4_000;
const LONGEST_BINARY = 8_000;
const CONTEXT_BYTES = 128;

/** `nvarchar(max)`: documents of rows, and everything else that may be long. */
export function longText(name: string, value: string | null): SqlParameter {
  return { name, type: 'nvarchar(max)', value };
}

/** `nvarchar(4000)`: names and keys. Throws on texts that are longer. */
export function shortText(name: string, value: string | null): SqlParameter {
  if (value !== null && value.length > LONGEST_TEXT)
    throw new RangeError(`parameter ${name} has ${value.length} characters, more than ${LONGEST_TEXT}`);
  return { name, type: 'nvarchar', value };
}

/** `varbinary(8000)`. */
export function binary(name: string, value: Buffer | null): SqlParameter {
  if (value !== null && value.length > LONGEST_BINARY)
    throw new RangeError(`parameter ${name} has ${value.length} bytes, more than ${LONGEST_BINARY}`);
  return { name, type: 'varbinary', value };
}

/** `varbinary(128)`, the only type that WITH CHANGE_TRACKING_CONTEXT takes. */
export function changeContext(name: string, value: Buffer): SqlParameter {
  return { name, type: 'varbinary(128)', value };
}

export function bigint(name: string, value: bigint | string | number | null): SqlParameter {
  return { name, type: 'bigint', value };
}

export function int(name: string, value: number | null): SqlParameter {
  return { name, type: 'int', value };
}

export function bind(request: Request, parameters: readonly SqlParameter[]): void {
  for (const { name, type, value } of parameters) {
    switch (type) {
      case 'nvarchar':
        request.addParameter(name, TYPES.NVarChar, value, { length: LONGEST_TEXT });
        break;
      case 'nvarchar(max)':
        request.addParameter(name, TYPES.NVarChar, value, { length: Number.POSITIVE_INFINITY });
        break;
      case 'varbinary':
        request.addParameter(name, TYPES.VarBinary, value, { length: LONGEST_BINARY });
        break;
      case 'varbinary(128)':
        request.addParameter(name, TYPES.VarBinary, value, { length: CONTEXT_BYTES });
        break;
      case 'varbinary(max)':
        request.addParameter(name, TYPES.VarBinary, value, { length: Number.POSITIVE_INFINITY });
        break;
      case 'bigint':
        request.addParameter(name, TYPES.BigInt, value);
        break;
      case 'int':
        request.addParameter(name, TYPES.Int, value);
        break;
    }
  }
}
