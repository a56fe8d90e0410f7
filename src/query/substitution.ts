/** Values for `$0`, `$K0` and `%%variables`, put in place while the text is parsed. */

import { NULL, type ScalarValue } from '../schema/value.ts';
import type { CompileOptions, QueryArgument } from './contract.ts';
import type { QueryError } from './query-error.ts';
import type { ListNode, LiteralNode } from './syntax.ts';
import type { Token } from './token.ts';
import type { TokenReader } from './token-reader.ts';

type ArgumentOrKeyPath = Extract<Token, { kind: 'argument' | 'keyPath' }>;

export class Substitution {
  readonly #reader: TokenReader;
  readonly #options: Pick<CompileOptions, 'arguments' | 'variables'>;

  constructor(reader: TokenReader, options: Pick<CompileOptions, 'arguments' | 'variables'>) {
    this.#reader = reader;
    this.#options = options;
  }

  argument(token: ArgumentOrKeyPath): LiteralNode | ListNode {
    return node(token.at, this.#argument(token));
  }

  variable(token: Extract<Token, { kind: 'variable' }>): LiteralNode | ListNode {
    const { variables } = this.#options;
    if (variables === undefined)
      throw this.#reader.fault(token.at, `the variable '%%${token.path.join('.')}' is not known here`);
    return node(token.at, variables(token.path) ?? NULL);
  }

  /** The names in a `$K` argument. */
  keyPath(token: ArgumentOrKeyPath): readonly string[] {
    const value = this.#argument(token);
    if (isList(value) || value.type !== 'string' || value.value === '')
      throw this.#fault(token, 'must be a string, the path of a property');
    return value.value.split('.');
  }

  /** An argument in brackets. */
  index(token: ArgumentOrKeyPath): number | string {
    const value = this.#argument(token);
    if (!isList(value)) {
      if (value.type === 'string') return value.value.toWellFormed();
      if (value.type === 'int' && value.value >= 0n && value.value <= Number.MAX_SAFE_INTEGER)
        return Number(value.value);
    }
    throw this.#fault(token, 'must be an index from 0 or a key');
  }

  #argument(token: ArgumentOrKeyPath): QueryArgument {
    const given = this.#options.arguments ?? [];
    const value = given[token.index];
    if (value === undefined) throw this.#fault(token, `is missing, ${given.length} arguments were given`);
    return value;
  }

  #fault(token: ArgumentOrKeyPath, reason: string): QueryError {
    const sign = token.kind === 'argument' ? '$' : '$K';
    return this.#reader.fault(token.at, `the argument ${sign}${token.index} ${reason}`);
  }
}

function isList(argument: QueryArgument): argument is readonly ScalarValue[] {
  return Array.isArray(argument);
}

function node(at: number, argument: QueryArgument): LiteralNode | ListNode {
  if (!isList(argument)) return { kind: 'literal', at, value: wellFormed(argument) };
  return {
    kind: 'list',
    at,
    items: argument.map((value) => ({ kind: 'literal', at, value: wellFormed(value) })),
  };
}

/** Lone halves of surrogate pairs have no UTF-8 form and so cannot be in a realm. */
function wellFormed(value: ScalarValue): ScalarValue {
  if (value.type !== 'string' || value.value.isWellFormed()) return value;
  return { type: 'string', value: value.value.toWellFormed() };
}
