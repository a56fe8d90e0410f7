/** NEWID and HASHBYTES. */
import { createHash, randomUUID } from 'node:crypto';
import type { SqlType } from '../../contract.ts';
import { coerce, conversionContext, expression } from '../expressions/coerce.ts';
import type { Compiled } from '../expressions/scope.ts';
import { convertDatum } from '../types/convert.ts';
import { isBinary, isCharacter } from '../types/families.ts';
import { type Application, type FunctionTable, invalidArgument, strict, textArgument } from './definition.ts';

const ALGORITHMS: Readonly<Record<string, string>> = {
  MD5: 'md5',
  SHA: 'sha1',
  SHA1: 'sha1',
  SHA2_256: 'sha256',
  SHA2_512: 'sha512',
};
const BYTES: SqlType = { kind: 'varbinary', length: 'max' };

function newId<Env>(): Compiled<Env> {
  const evaluate = (): string => randomUUID().toUpperCase();
  return {
    ...expression<Env>({ kind: 'uniqueidentifier' }, [], evaluate, { nullable: false }),
    constant: false,
  };
}

/** NULL for an unknown algorithm. */
function hashBytes<Env>(application: Application<Env>): Compiled<Env> {
  const { args, scope, line } = application;
  const input = args[1]!;
  if (!isCharacter(input.type) && !isBinary(input.type)) throw invalidArgument(application, 2);
  const context = conversionContext(scope, input.collation);
  return strict(
    { kind: 'varbinary', length: 8000 },
    [textArgument(application, 1), coerce(input, input.type, scope, line)],
    (name, value) => {
      const algorithm = ALGORITHMS[(name as string).toUpperCase()];
      if (algorithm === undefined) return null;
      const bytes = convertDatum(value, input.type, BYTES, context) as Uint8Array;
      return new Uint8Array(createHash(algorithm).update(bytes).digest());
    },
    { nullable: true },
  );
}

export const HASH_FUNCTIONS: FunctionTable = {
  NEWID: { minimal: 0, maximal: 0, compile: newId },
  NEWSEQUENTIALID: { minimal: 0, maximal: 0, compile: newId },
  HASHBYTES: { minimal: 2, maximal: 2, compile: hashBytes },
};
