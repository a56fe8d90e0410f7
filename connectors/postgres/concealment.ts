/** Where PostgreSQL repeats values in messages and details, for those that are secret. */
import { CONCEALED, Concealment } from '../../src/connector/concealment.ts';

const FAILING_ROW = /Failing row contains \(.*\)/s;
/** `Key (a, b)=(1, 2)`, as unique, foreign key and exclusion constraints say it. */
const KEY_VALUES = /(Key \((.*?)\))=\((.*?)\)(?= |$)/gs;
const QUOTED = /"[^"]*"/g;
const DATA_EXCEPTION = '22';

export function postgresConcealment(): Concealment {
  return new Concealment({
    concealRow: (text, _, isSecret) =>
      text
        .replace(FAILING_ROW, `Failing row contains (${CONCEALED})`)
        .replace(KEY_VALUES, (whole, key: string, columns: string) =>
          columns.split(', ').some((name) => isSecret(unquoted(name))) ? `${key}=(${CONCEALED})` : whole,
        ),
    concealMisread: (text, sqlState) =>
      sqlState?.startsWith(DATA_EXCEPTION) ? text.replace(QUOTED, `"${CONCEALED}"`) : text,
  });
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
