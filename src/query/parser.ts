/** Text to syntax tree: recursive descent over predicates, by precedence `OR`, `AND`, `NOT`, comparison, arithmetic. */
import type { CompileOptions } from './contract.ts';
import { MAX_NESTING } from './limits.ts';
import { parseDescriptors } from './parse-descriptors.ts';
import { parsePrimary } from './parse-value.ts';
import { Substitution } from './substitution.ts';
import type {
  ArithmeticOperator,
  ComparisonOperator,
  PredicateNode,
  QueryNode,
  ValueNode,
} from './syntax.ts';
import type { Keyword } from './token.ts';
import { TokenReader } from './token-reader.ts';

export type AnyNode = PredicateNode | ValueNode;

const SYMBOL_COMPARISONS: ReadonlyMap<string, ComparisonOperator> = new Map<string, ComparisonOperator>([
  ['==', '=='],
  ['!=', '!='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);
const WORD_COMPARISONS: ReadonlyMap<Keyword, ComparisonOperator> = new Map<Keyword, ComparisonOperator>([
  ['in', 'in'],
  ['beginswith', 'beginswith'],
  ['endswith', 'endswith'],
  ['contains', 'contains'],
  ['like', 'like'],
]);

/** Throws `QueryError` for a text that is no query. Arguments and variables are replaced by their values. */
export function parseQuery(
  text: string,
  options: Pick<CompileOptions, 'arguments' | 'variables'>,
): QueryNode {
  const reader = new TokenReader(text);
  const substitution = new Substitution(reader, options);
  const parser = new PredicateParser(reader, substitution);
  const predicate = parser.predicate();
  const descriptors = parseDescriptors(reader, substitution);
  if (reader.token.kind !== 'end') throw reader.expected('AND, OR, SORT, DISTINCT, LIMIT or the end');
  return { predicate, descriptors };
}

export class PredicateParser {
  readonly #reader: TokenReader;
  readonly #substitution: Substitution;

  constructor(reader: TokenReader, substitution: Substitution) {
    this.#reader = reader;
    this.#substitution = substitution;
  }

  predicate(): PredicateNode {
    return this.#asPredicate(this.anything());
  }

  /** A predicate or a value: which of both a parenthesis holds is known at its end only. */
  anything(): AnyNode {
    return this.#chain('or', '||', () => this.#chain('and', '&&', () => this.#negation()));
  }

  #chain(keyword: 'and' | 'or', symbol: string, operand: () => AnyNode): AnyNode {
    const { at } = this.#reader.token;
    const first = operand();
    const children: PredicateNode[] = [];
    while (this.#reader.takeKeyword(keyword) || this.#reader.takeSymbol(symbol)) {
      if (children.length === 0) children.push(this.#asPredicate(first));
      children.push(this.#asPredicate(operand()));
    }
    return children.length === 0 ? first : { kind: keyword, at, children };
  }

  #negation(): AnyNode {
    const { at } = this.#reader.token;
    let negations = 0;
    while (this.#reader.takeKeyword('not') || this.#reader.takeSymbol('!')) negations += 1;
    if (negations === 0) return this.#comparison();
    const child = this.#asPredicate(this.#comparison());
    return negations % 2 === 0 ? child : { kind: 'not', at, child };
  }

  #comparison(): AnyNode {
    const left = this.#sum();
    const reader = this.#reader;
    if (isPredicate(left)) return left;
    const { token } = reader;
    if (reader.isKeyword('text') || reader.isKeyword('geowithin'))
      throw reader.fault(
        token.at,
        `the operator '${reader.text.slice(token.at, token.end)}' is not supported`,
      );
    if (reader.takeKeyword('between')) return this.#between(left);
    const operator = this.#comparisonOperator();
    if (operator === undefined) return left;
    const caseless = reader.isSymbol('[c]');
    if (caseless && '<=>='.includes(operator) && operator !== '==')
      throw reader.fault(reader.token.at, `[c] makes no sense with '${operator}'`);
    if (caseless) reader.next();
    const right = this.#asValue(this.#sum());
    return { kind: 'comparison', at: token.at, operator, caseless, left, right };
  }

  #comparisonOperator(): ComparisonOperator | undefined {
    const { token } = this.#reader;
    let operator: ComparisonOperator | undefined;
    if (token.kind === 'symbol') operator = SYMBOL_COMPARISONS.get(token.symbol);
    if (token.kind === 'word' && token.keyword !== undefined) operator = WORD_COMPARISONS.get(token.keyword);
    if (operator !== undefined) this.#reader.next();
    return operator;
  }

  #between(value: ValueNode): PredicateNode {
    const reader = this.#reader;
    const { at } = value;
    reader.expectSymbol('{');
    const low = this.#asValue(this.#sum());
    if (!reader.takeSymbol(',')) throw reader.expected("',' and the upper bound of BETWEEN");
    const high = this.#asValue(this.#sum());
    if (!reader.takeSymbol('}')) throw reader.expected("'}' after the two bounds of BETWEEN");
    return { kind: 'between', at, value, low, high };
  }

  #sum(): AnyNode {
    return this.#arithmetic(['+', '-'], () => this.#arithmetic(['*', '/'], () => this.#primary()));
  }

  #arithmetic(operators: readonly ArithmeticOperator[], operand: () => AnyNode): AnyNode {
    let left = operand();
    for (let operations = 0; ; operations++) {
      const { token } = this.#reader;
      const operator = operators.find((symbol) => this.#reader.takeSymbol(symbol));
      if (operator === undefined) return left;
      if (operations >= MAX_NESTING) throw this.#reader.tooDeep();
      if (isPredicate(left)) throw this.#reader.fault(token.at, `'${operator}' needs a value on its left`);
      left = { kind: 'arithmetic', at: token.at, operator, left, right: this.#asValue(operand()) };
    }
  }

  #primary(): AnyNode {
    const reader = this.#reader;
    const { at } = reader.token;
    if (reader.takeSymbol('(')) {
      const inner = reader.nested(() => this.anything());
      reader.expectSymbol(')');
      return inner;
    }
    if (reader.takeKeyword('truepredicate')) return { kind: 'constant', at, value: true };
    if (reader.takeKeyword('falsepredicate')) return { kind: 'constant', at, value: false };
    return parsePrimary(reader, this.#substitution, () => this.predicate());
  }

  #asPredicate(node: AnyNode): PredicateNode {
    if (!isPredicate(node)) throw this.#reader.expected('a comparison operator');
    return node;
  }

  #asValue(node: AnyNode): ValueNode {
    if (isPredicate(node)) throw this.#reader.fault(node.at, 'expected a value, found a condition');
    return node;
  }
}

function isPredicate(node: AnyNode): node is PredicateNode {
  switch (node.kind) {
    case 'constant':
    case 'and':
    case 'or':
    case 'not':
    case 'comparison':
    case 'between':
      return true;
    default:
      return false;
  }
}
