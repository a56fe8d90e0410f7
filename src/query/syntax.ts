/** The syntax tree of a query, before anything is known of the class. Every node knows its place in the text. */
import type { ScalarValue } from '../schema/value.ts';

export type Quantifier = 'any' | 'all' | 'none';
export type EqualityOperator = '==' | '!=' | 'in';
export type RelationalOperator = '<' | '<=' | '>' | '>=';
export type TextOperator = 'beginswith' | 'endswith' | 'contains' | 'like';
export type ComparisonOperator = EqualityOperator | RelationalOperator | TextOperator;
export type AggregateOperator = 'min' | 'max' | 'sum' | 'avg';
export type ArithmeticOperator = '+' | '-' | '*' | '/';

export type PathElement = { readonly at: number } & (
  | { readonly kind: 'name'; readonly name: string }
  /** −1 is the last one. */
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'every' }
  | { readonly kind: 'keys' }
  | { readonly kind: 'values' }
  | { readonly kind: 'links' }
);

/** What is asked of the values at the end of a path. */
export type PathEnding = { readonly at: number } & (
  | { readonly kind: 'size' }
  | { readonly kind: 'type' }
  | { readonly kind: 'aggregate'; readonly operator: AggregateOperator; readonly property?: string }
);

export type PathNode = {
  readonly kind: 'path';
  readonly at: number;
  readonly quantifier?: Quantifier;
  readonly elements: readonly PathElement[];
  readonly ending?: PathEnding;
};

export type LiteralNode = {
  readonly kind: 'literal';
  readonly at: number;
  readonly value: ScalarValue;
  /** The spelling of a number that decimal128 may hold better than a double. */
  readonly decimal?: string;
  /** What base64 stands for where data is wanted. */
  readonly bytes?: Uint8Array;
  /** `obj("Class", key)`: whether there is such a class, and what its key looks like, is seen later. */
  readonly objectOf?: string;
};

export type ListNode = {
  readonly kind: 'list';
  readonly at: number;
  readonly quantifier?: Quantifier;
  readonly items: readonly LiteralNode[];
};

export type SubqueryNode = {
  readonly kind: 'subquery';
  readonly at: number;
  readonly path: PathNode;
  readonly variable: string;
  readonly predicate: PredicateNode;
};

export type ArithmeticNode = {
  readonly kind: 'arithmetic';
  readonly at: number;
  readonly operator: ArithmeticOperator;
  readonly left: ValueNode;
  readonly right: ValueNode;
};

/** `O12`: parsed because clients can print it, refused because it says nothing outside of one client's file. */
export type ObjectKeyNode = { readonly kind: 'objectKey'; readonly at: number; readonly text: string };

export type ValueNode = PathNode | LiteralNode | ListNode | SubqueryNode | ArithmeticNode | ObjectKeyNode;

export type PredicateNode = { readonly at: number } & (
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'and' | 'or'; readonly children: readonly PredicateNode[] }
  | { readonly kind: 'not'; readonly child: PredicateNode }
  | {
      readonly kind: 'comparison';
      readonly operator: ComparisonOperator;
      readonly caseless: boolean;
      readonly left: ValueNode;
      readonly right: ValueNode;
    }
  | { readonly kind: 'between'; readonly value: ValueNode; readonly low: ValueNode; readonly high: ValueNode }
);

export type SortKey = { readonly path: PathNode; readonly ascending: boolean };
export type DescriptorNode = { readonly at: number } & (
  | { readonly kind: 'sort'; readonly keys: readonly SortKey[] }
  | { readonly kind: 'distinct'; readonly paths: readonly PathNode[] }
  | { readonly kind: 'limit'; readonly count: number }
);

export type QueryNode = {
  readonly predicate: PredicateNode;
  readonly descriptors: readonly DescriptorNode[];
};
