/** Where the Chinook scripts lie: beside the sources and, in a built package, one folder further up. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export async function readChinookScript(file: string): Promise<string> {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
  const folder = join(import.meta.url.endsWith('.ts') ? root : join(root, '..'), 'data', 'chinook');
  return (await readFile(join(folder, file), 'utf8')).replace(/^\uFEFF/, '');
}
