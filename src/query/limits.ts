/** Bounds on queries: their texts come from clients, and the server must survive any of them. */

/** UTF-16 units. A list of some ten thousand object ids fits several times; parsing it takes well under a second. */
export const MAX_TEXT_LENGTH = 1024 * 1024;
/** Parentheses, subqueries and chained arithmetic: each level costs stack when a query is parsed and when it runs. */
export const MAX_NESTING = 200;
/** UTF-16 units. Matching `LIKE` can cost the product of the lengths of pattern and text. */
export const MAX_PATTERN_LENGTH = 1024;
/** Of a wrong token only the head is repeated in a message. */
export const MAX_SHOWN_TOKEN = 40;
