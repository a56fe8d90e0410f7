/** What the database raises and cannot be provoked without harm to the machine, sorted by its code alone. */
import { expect, test } from 'vitest';
import { classOfFailure } from '../../../connectors/postgres/sql-state.ts';

function raised(code: string): Error {
  return Object.assign(new Error('x'), { code, severity: 'ERROR' });
}

test.each([
  ['disk_full', '53100'],
  ['out_of_memory', '53200'],
  ['io_error', '58030'],
  ['crash_shutdown', '57P02'],
  ['cannot_connect_now', '57P03'],
  ['connection_failure', '08006'],
])('%s passes', (_name, code) => {
  expect(classOfFailure(raised(code))).toBe('transient');
});

test.each([
  ['data_corrupted', 'XX001'],
  ['internal_error', 'XX000'],
  ['invalid_password', '28P01'],
  ['in_failed_sql_transaction', '25P02'],
])('%s needs an operator', (_name, code) => {
  expect(classOfFailure(raised(code))).toBe('fatal');
});
