/** Where SQL Server repeats values in its messages, for those that are secret. */
import { CONCEALED, Concealment } from '../../src/connector/concealment.ts';

/** 2601, 2627: the message does not say of which columns these are. */
const KEY_VALUES = /(The duplicate key value is )\(.*\)/s;
/** 2628. */
const TRUNCATED = /(Truncated value: )'.*'/s;
/** 245, 8114, 8152 and others that could not read a value: `… the nvarchar value 'x' to data type int`. */
const MISREAD = /\bvalue '.*?'(?= to data type)/gs;

export function sqlServerConcealment(): Concealment {
  return new Concealment({
    concealRow: (text) => text.replace(KEY_VALUES, `$1(${CONCEALED})`).replace(TRUNCATED, `$1'${CONCEALED}'`),
    concealMisread: (text) => text.replace(MISREAD, `value '${CONCEALED}'`),
  });
}
