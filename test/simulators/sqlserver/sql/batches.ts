/** Scripts, as command line tools read them: batches between lines that say GO. */

const GO_LINE = /^\s*GO(?:\s+(\d+))?\s*;?\s*(?:--.*)?$/i;

/** The batches of `script` without blank ones; `GO 3` repeats the one before it. */
export function splitBatches(script: string): readonly string[] {
  const batches: string[] = [];
  let lines: string[] = [];
  let inside: Inside = { kind: 'code' };
  const finish = (times: number): void => {
    const batch = lines.join('\n');
    lines = [];
    if (batch.trim() !== '') for (let i = 0; i < times; i++) batches.push(batch);
  };
  for (const line of script.split(/\r?\n/)) {
    const go = inside.kind === 'code' ? GO_LINE.exec(line) : null;
    if (go !== null) {
      finish(Number(go[1] ?? 1));
      continue;
    }
    lines.push(line);
    inside = after(line, inside);
  }
  finish(1);
  return batches;
}

type Inside =
  | { readonly kind: 'code' }
  | { readonly kind: 'comment'; readonly depth: number }
  | { readonly kind: 'quotes'; readonly close: string };

/** Where the end of `line` is, when its beginning is `inside`. */
function after(line: string, inside: Inside): Inside {
  let state = inside;
  for (let i = 0; i < line.length; i++) {
    const two = line.slice(i, i + 2);
    if (state.kind === 'quotes') {
      if (line[i] === state.close) state = { kind: 'code' };
    } else if (two === '/*') {
      state = { kind: 'comment', depth: state.kind === 'comment' ? state.depth + 1 : 1 };
      i++;
    } else if (state.kind === 'comment') {
      if (two !== '*/') continue;
      state = state.depth === 1 ? { kind: 'code' } : { kind: 'comment', depth: state.depth - 1 };
      i++;
    } else if (two === '--') return state;
    else if (line[i] === "'" || line[i] === '"') state = { kind: 'quotes', close: line[i]! };
    else if (line[i] === '[') state = { kind: 'quotes', close: ']' };
  }
  return state;
}
