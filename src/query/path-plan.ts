/** A path that has been found in the schema, and how its parts are written. */
import type { ColumnDefinition } from '../schema/definition.ts';
import type { ValueType } from '../schema/value.ts';
import type { Dependencies } from './dependencies.ts';
import type { Hop, Selector } from './hops.ts';
import { stringText } from './literal-text.ts';
import type { NestedStep } from './nested-values.ts';
import type { PathElement } from './syntax.ts';

/** What the path ends at, read from the object that its hops lead to. */
export type Terminal =
  /** The objects themselves, as links. */
  | { readonly kind: 'object' }
  | { readonly kind: 'key' }
  | { readonly kind: 'property'; readonly field: string; readonly column: ColumnDefinition }
  | {
      readonly kind: 'collection';
      readonly field: string;
      readonly column: ColumnDefinition;
      readonly part: Part;
    }
  | {
      readonly kind: 'nested';
      readonly field: string;
      readonly column: ColumnDefinition;
      readonly steps: readonly NestedStep[];
    }
  /** `@links` of all classes. */
  | { readonly kind: 'backlinks'; readonly sources: readonly Hop[] };

export type Part = Selector | { readonly kind: 'keys' } | { readonly kind: 'lengths' };

export type ResolvedPath = {
  readonly hops: readonly Hop[];
  readonly terminal: Terminal;
  /** Of the values at the end. */
  readonly type: ValueType;
  /** The class that the terminal belongs to; for an object its own class. */
  readonly table: string;
  /** All hops are single links, so that there is at most one object at their end. */
  readonly isSingle: boolean;
  readonly dependencies: Dependencies;
  readonly text: string;
};

const NAME = /^[a-zA-Z_$\u0080-\uffff][a-zA-Z_\-$0-9\u0080-\uffff \t\r\n]*$/;
const ESCAPED: Readonly<Record<string, string>> = { ' ': '\\ ', '\t': '\\t', '\r': '\\r', '\n': '\\n' };

/** A name as it is written in a path. */
export function nameText(name: string): string {
  return NAME.test(name) ? name.replace(/[ \t\r\n]/g, (blank) => ESCAPED[blank]!) : name;
}

export function hasLengths({ type }: ColumnDefinition): boolean {
  return type === 'string' || type === 'data' || type === 'mixed';
}

export function nestedStep(element: PathElement): NestedStep | undefined {
  switch (element.kind) {
    case 'name':
      return { kind: 'key', key: element.name };
    case 'key':
      // Clients print the keys of a dictionary in a mixed value in this form.
      return element.key === '@keys' ? { kind: 'keys' } : element;
    case 'index':
    case 'every':
    case 'keys':
      return element;
    case 'values':
      return { kind: 'every' };
    case 'links':
      return undefined;
  }
}

export function stepText(step: NestedStep | Part): string {
  switch (step.kind) {
    case 'every':
      return '[*]';
    case 'index':
      return step.index < 0 ? '[LAST]' : `[${step.index}]`;
    case 'key':
      return `[${stringText(step.key)}]`;
    case 'keys':
      return '@keys';
    case 'lengths':
      return 'length';
  }
}

/** Parts in brackets follow without a dot. */
export function pathText(parts: readonly string[]): string {
  return parts.map((part, at) => (at === 0 || part.startsWith('[') ? part : `.${part}`)).join('');
}
