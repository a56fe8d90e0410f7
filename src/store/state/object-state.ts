/**
 * An object at rest. Links are kept by key, so a link whose target does not exist ("unresolved", merge-rules.md §9.1)
 * needs no state of its own: it is simply a link to nothing, counts in list sizes, and becomes real again when the
 * target is created.
 */
import type { ScalarValue } from '../../schema/value.ts';

export type EmbeddedState = { readonly type: 'object'; readonly fields: Map<string, StateValue> };
export type ListState = { readonly type: 'list'; readonly items: StateValue[] };
export type DictionaryState = { readonly type: 'dictionary'; readonly entries: Map<string, StateValue> };
/** Members by their value token, in order of insertion. */
export type SetState = { readonly type: 'set'; readonly items: Map<string, ScalarValue> };

export type StateValue = ScalarValue | EmbeddedState | ListState | DictionaryState | SetState;

/** The fields of a top-level object; a field that was never written is absent and reads as its column's default. */
export type ObjectState = { readonly fields: Map<string, StateValue> };
