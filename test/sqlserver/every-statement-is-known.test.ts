/**
 * `statements.golden.sql` holds the text of every statement that the connector can send, to be read by people and checked
 * with Microsoft's own parser. `npm run golden` writes it anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type KnownStatement, statementList } from './statement-list.ts';

const GOLDEN = join(import.meta.dirname, 'statements.golden.sql');
const HEAD =
  '-- The text of every statement that the SQL Server connector can send, for a representative set of tables.\n' +
  '-- Made by test/sqlserver/every-statement-is-known.test.ts; npm run golden writes it anew.\n';

function document(statements: readonly KnownStatement[]): string {
  let text = HEAD;
  let current = '';
  for (const { section, name, text: statement } of statements) {
    if (section !== current) text += `\n---- ${section} ----\n`;
    current = section;
    text += `\n-- ${name}\n${statement}\nGO\n`;
  }
  return text;
}

test('the golden file has every statement as the connector makes it', () => {
  const text = document(statementList());
  if (process.env.ISTHMUS_WRITE_GOLDEN === '1') writeFileSync(GOLDEN, text);
  expect(text).toBe(readFileSync(GOLDEN, 'utf8'));
});

test('every statement has a name of its own', () => {
  const names = statementList().map(({ section, name }) => `${section}: ${name}`);
  expect(names).toEqual([...new Set(names)]);
});

test('values never stand in a statement', () => {
  for (const { text } of statementList()) expect(text).not.toContain('${');
});
