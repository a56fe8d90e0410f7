/**
 * Uploads to many realms without pause and reports every acknowledged version on its standard output, until it is
 * killed. Usage: node uploading-process.ts <directory> <realms>
 */
import { openServerStore } from '../../../src/store/server/open.ts';
import { createItem, entry, SCHEMA, setItem, upload } from './changes.ts';

const [directory = '', realms = '1'] = process.argv.slice(2);
const store = await openServerStore(directory);

async function uploadForEver(path: string): Promise<void> {
  const realm = await store.realm(path);
  const { fileIdent } = await realm.allocateClientFile();
  await realm.integrate(
    fileIdent,
    upload(entry(2, realm.head.version, realm.head.version === 0 ? SCHEMA : [])),
  );
  for (let clientVersion = 3; ; clientVersion++) {
    const id = fileIdent * 1_000_000 + clientVersion;
    const change = [createItem(id), setItem(id, clientVersion)];
    const { version } = await realm.integrate(
      fileIdent,
      upload(entry(clientVersion, realm.head.version, change)),
    );
    process.stdout.write(`${path} ${fileIdent} ${clientVersion} ${version}\n`);
  }
}

await Promise.all(Array.from({ length: Number(realms) }, (_, i) => uploadForEver(`/realm-${i}`)));
