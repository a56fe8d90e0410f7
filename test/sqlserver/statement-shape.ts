/**
 * What a statement is apart from the names in it and from the number and types of its columns, so that those of any table
 * can be compared with those of the golden file.
 */
import {
  assignmentExpression,
  readExpression,
  writeExpression,
} from '../../connectors/sqlserver/column-text.ts';
import { matches } from '../../connectors/sqlserver/writer/row-source.ts';
import type { TableInfo } from '../../src/connector/dialect.ts';

const QUOTED = /\[(?:[^\]]|\]\])*\]/g;
const LITERAL = /N?'(?:[^']|'')*'/g;
const COLLATE = /COLLATE \w+/g;
const NUMBER = /(?<![\w@])\d+/g;
const NUMBERED = /@(after|since)\d+/g;
const COLUMN =
  /⟨names⟩ \w+(?:\([\w, ]+\))?(?: IDENTITY\(0,0\))?(?: COLLATE c)?(?: NOT NULL| NULL)(?: DEFAULT \([^()]*(?:\(\))?\))?/g;

export class Shapes {
  /** What is said of a column, longest first, and whether it compares or assigns rather than being a value. */
  readonly #parts: readonly (readonly [text: string, isMatch: boolean])[];

  /** The tables have columns of all types, as keys and otherwise. */
  constructor(tables: readonly TableInfo[]) {
    const parts = new Map<string, boolean>([[nameless('t.[k] = c.[k]'), true]]);
    for (const table of tables) {
      for (const column of table.columns) {
        for (const alias of ['t', 'c']) parts.set(nameless(readExpression(column, alias)), false);
        for (const text of ['s.[c0]', '@after0']) {
          parts.set(nameless(writeExpression(column, text)), false);
          parts.set(nameless(assignmentExpression(column, 't', text)), false);
        }
        parts.set(nameless(matches(table, column.name, 's.[c0]')), true);
      }
    }
    this.#parts = [...parts].sort(([a], [b]) => b.length - a.length);
  }

  of(text: string): string {
    let shape = nameless(text);
    for (const [part, isMatch] of this.#parts) {
      if (part.length > 'x.[]'.length) shape = shape.replaceAll(part, isMatch ? '⟨match⟩' : '⟨value⟩');
    }
    return shape
      .replace(/(?<![\w.])[tcs]\.\[\]/g, '⟨value⟩')
      .replace(/⟨value⟩ = ⟨value⟩/g, '⟨match⟩')
      .replace(/⟨match⟩(?:(?:, | AND )⟨match⟩)*/g, '⟨matches⟩')
      .replace(/⟨value⟩(?:, ⟨value⟩)*/g, '⟨values⟩')
      .replace(/(?: AND ⟨values⟩ IS NULL)+/g, ' ⟨empty⟩')
      .replace(/\[\] nvarchar\(max\) ''(?:, \[\] nvarchar\(max\) '')*/g, '⟨cells⟩')
      .replace(/\[\](?:, \[\])*/g, '⟨names⟩')
      .replace(/(SELECT .*?)(?: UNION ALL \1)+/g, '$1')
      .replace(COLUMN, '⟨column⟩')
      .replace(/⟨column⟩(?:, ⟨column⟩)*/g, '⟨columns⟩')
      .replace(/\(⟨matches⟩\)(?: OR \(.*?\))+|\(⟨values⟩ > ⟨values⟩\)(?: OR \(.*?\))*/g, '⟨beyond⟩')
      .replace(/\s+/g, ' ')
      .trim();
  }
}

function nameless(text: string): string {
  return text
    .replace(LITERAL, "''")
    .replace(QUOTED, '[]')
    .replace(COLLATE, 'COLLATE c')
    .replace(NUMBERED, '@$1')
    .replace(NUMBER, '0');
}
