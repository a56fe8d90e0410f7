/** xml values: well formed, and stored without what the type does not keep (declaration, kind of quotes, empty pairs). */
import { conversionFailure } from './conversion-context.ts';

const TOKEN =
  /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<\?([\s\S]*?)\?>|<(\/?)([A-Za-z_][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/gy;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** The text as the server gives it back. Throws 9400 and its neighbours for what is not well formed. */
export function normalizeXml(text: string, keepsBlanks = false): string {
  const source = text.replace(/^\ufeff/, '');
  const parts: string[] = [];
  const open: { readonly name: string; readonly at: number }[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const position = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (match === null) throw notWellFormed(9455, position, 'illegal qualified name character');
    const [whole, cdata, instruction, closing, name, attributes = '', empty, characters] = match;
    if (cdata !== undefined) parts.push(escapeText(cdata));
    else if (instruction !== undefined) parts.push(/^xml\s/i.test(instruction) ? '' : whole);
    else if (characters !== undefined) parts.push(keptText(characters, position, keepsBlanks));
    else if (name === undefined) parts.push(whole);
    else if (closing === '/') close(open, parts, name, position);
    else {
      parts.push(`<${name}${normalAttributes(attributes)}${empty}>`);
      if (empty === '') open.push({ name, at: parts.length - 1 });
    }
  }
  if (open.length > 0) throw notWellFormed(9400, source.length, 'unexpected end of input');
  return parts.join('');
}

function notWellFormed(number: number, position: number, what: string): Error {
  return conversionFailure(number, `XML parsing: line 1, character ${position + 1}, ${what}`);
}

function keptText(text: string, position: number, keepsBlanks: boolean): string {
  if (/&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)/.test(text))
    throw notWellFormed(9421, position, 'illegal name character');
  // White space between elements is not kept unless CONVERT is told to (style 1).
  if (!keepsBlanks && /^[ \t\r\n]*$/.test(text)) return '';
  return text.replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('>', '&gt;');
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function normalAttributes(text: string): string {
  return [...text.matchAll(ATTRIBUTE)]
    .map(([, name, double, single]) => ` ${name}="${(double ?? single ?? '').replaceAll('"', '&quot;')}"`)
    .join('');
}

function close(
  open: { readonly name: string; readonly at: number }[],
  parts: string[],
  name: string,
  position: number,
): void {
  const last = open.pop();
  if (last?.name !== name) throw notWellFormed(9436, position, 'end tag does not match start tag');
  const content = parts.slice(last.at + 1).join('');
  if (content === '') {
    parts.length = last.at + 1;
    parts[last.at] = parts[last.at]!.replace(/>$/, '/>');
  } else parts.push(`</${name}>`);
}
