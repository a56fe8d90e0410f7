/** LIKE: `%`, `_`, `[a-f]`, `[^x]` and the escape character. */
import { SqlFailure } from '../../contract.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import type { Collation } from '../types/collation.ts';

/** Patterns are often the same for many rows. */
const KEPT_PATTERNS = 100;

export function likeMatcher(
  collation: Collation,
): (text: string, pattern: string, escaping: string | null) => boolean {
  const known = new Map<string, RegExp>();
  return (text, pattern, escaping) => {
    const key = `${escaping ?? ''}\u0000${pattern}`;
    let expression = known.get(key);
    if (expression === undefined) {
      expression = translate(collation.fold(pattern), escaping === null ? null : collation.fold(escaping));
      if (known.size >= KEPT_PATTERNS) known.clear();
      known.set(key, expression);
    }
    return expression.test(collation.fold(text));
  };
}

function translate(pattern: string, escaping: string | null): RegExp {
  if (escaping !== null && escaping.length !== 1) {
    const message = `The invalid escape character "${escaping}" was specified in a LIKE predicate.`;
    throw new SqlFailure(506, message, { line: LINE_OF_STATEMENT });
  }
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    if (character === escaping && i + 1 < pattern.length) source += quote(pattern[++i]!);
    else if (character === '%') source += '.*';
    else if (character === '_') source += '.';
    else if (character === '[') {
      const end = pattern.indexOf(']', i + 2);
      if (end < 0) return /(?!)/;
      source += characterSet(pattern.slice(i + 1, end));
      i = end;
    } else source += quote(character);
  }
  return new RegExp(`^${source}$`, 's');
}

function quote(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
}

function characterSet(content: string): string {
  const negated = content.startsWith('^');
  const body = (negated ? content.slice(1) : content).replace(/[\\[\]^]/g, '\\$&');
  return `[${negated ? '^' : ''}${body}]`;
}
