/** Characters and their codes, and escapes. */
import type { Datum } from '../../contract.ts';
import { coerce } from '../expressions/coerce.ts';
import { collationOf } from '../expressions/collations.ts';
import type { Compiled } from '../expressions/scope.ts';
import { decodeVarchar, encodeVarchar } from '../types/code-page.ts';
import { conversionFailure } from '../types/conversion-context.ts';
import {
  type Application,
  countsSupplementary,
  type FunctionTable,
  INT,
  lengthOfType,
  strict,
  strictText,
  textArgument,
  varyingLike,
} from './definition.ts';

const LAST_BYTE = 255;
const LAST_UNIT = 0xffff;
const LAST_POINT = 0x10ffff;

function char<Env>({ args, scope, line }: Application<Env>): Compiled<Env> {
  const { collation } = scope.session;
  const code = coerce(args[0]!, INT, scope, line);
  const result = strict(
    { kind: 'char', length: 1 },
    [code],
    (value) =>
      Number(value) < 0 || Number(value) > LAST_BYTE
        ? null
        : decodeVarchar(Uint8Array.of(Number(value)), collation),
    { nullable: true },
  );
  return { ...result, collation: { name: collation, label: 'coercible' } };
}

function nchar<Env>({ args, scope, line }: Application<Env>): Compiled<Env> {
  const { collation } = scope.session;
  const supplementary = countsSupplementary(collation);
  const code = coerce(args[0]!, INT, scope, line);
  const result = strict(
    { kind: 'nchar', length: supplementary ? 2 : 1 },
    [code],
    (value) =>
      Number(value) < 0 || Number(value) > (supplementary ? LAST_POINT : LAST_UNIT)
        ? null
        : String.fromCodePoint(Number(value)),
    { nullable: true },
  );
  return { ...result, collation: { name: collation, label: 'coercible' } };
}

function ascii<Env>(application: Application<Env>): Compiled<Env> {
  const text = textArgument(application, 1);
  const { name } = collationOf([text], application.scope.session.collation, application.line);
  return strict(
    INT,
    [text],
    (value): Datum => (value === '' ? null : BigInt(encodeVarchar((value as string).slice(0, 1), name)[0]!)),
  );
}

function unicode<Env>(application: Application<Env>): Compiled<Env> {
  const text = textArgument(application, 1);
  const { name } = collationOf([text], application.scope.session.collation, application.line);
  return strict(INT, [text], (value): Datum => {
    const first = countsSupplementary(name)
      ? (value as string).codePointAt(0)
      : (value as string).charCodeAt(0);
    return value === '' || first === undefined ? null : BigInt(first);
  });
}

function stringEscape<Env>(application: Application<Env>): Compiled<Env> {
  const [text, kind] = [textArgument(application, 1), textArgument(application, 2)];
  const type = varyingLike({ kind: 'nvarchar', length: 1 }, lengthOfType(text.type) === 'max' ? 'max' : 4000);
  return strictText(application, type, [text, kind], (value, form) => {
    if ((form as string).toLowerCase() !== 'json')
      throw conversionFailure(13620, `Unsupported escape type '${form as string}'.`);
    return JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/');
  });
}

export const CHARACTER_FUNCTIONS: FunctionTable = {
  CHAR: { minimal: 1, maximal: 1, compile: char },
  NCHAR: { minimal: 1, maximal: 1, compile: nchar },
  ASCII: { minimal: 1, maximal: 1, compile: ascii },
  UNICODE: { minimal: 1, maximal: 1, compile: unicode },
  STRING_ESCAPE: { minimal: 2, maximal: 2, compile: stringEscape },
};
