import { SqlFailure } from '../../contract.ts';

/** 10704: THROW without arguments outside CATCH. */
export function uncaught(line: number): SqlFailure {
  return new SqlFailure(
    10704,
    'To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the THROW statement inside a CATCH block, or add error parameters to the THROW statement.',
    { severity: 15, line },
  );
}
