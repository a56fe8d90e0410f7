/** A client of partition-based sync that holds the flexible realm as a whole. */
import type { SqliteReplica } from '../../../src/store/replica/sqlite-replica.ts';
import type { ServerRealm } from '../../../src/store/server/contract.ts';
import type { Random } from '../../support/random.ts';
import { randomTransaction } from './simulated-changes.ts';

const NO_LIMIT = 1_000_000_000;

export class SimulatedPartition {
  readonly replica: SqliteReplica;
  readonly #random: Random;
  #isKnown = false;

  constructor(replica: SqliteReplica, random: Random) {
    this.replica = replica;
    this.#random = random;
  }

  /** Until it has the realm it writes nothing: with the history trimmed, that could not be merged. */
  async fill(realm: ServerRealm): Promise<void> {
    do await this.download(realm);
    while (this.replica.download.serverVersion < realm.head.version);
  }

  write(): void {
    if (this.replica.schema.has('T')) this.replica.write(randomTransaction(this.replica, this.#random));
  }

  async upload(realm: ServerRealm, softLimit = NO_LIMIT): Promise<void> {
    const { upload, download, identity } = await this.#identified(realm);
    const { entries, progress } = this.replica.uploadScan(upload, softLimit);
    const lockedServerVersion = download.serverVersion;
    await realm.integrate(identity.fileIdent, { entries, progress, lockedServerVersion });
  }

  async download(realm: ServerRealm, softLimit = NO_LIMIT): Promise<void> {
    const { download, identity } = await this.#identified(realm);
    this.replica.integrate(await realm.download(identity.fileIdent, download, softLimit));
  }

  async settle(realm: ServerRealm): Promise<void> {
    while (this.replica.hasUnsynced()) {
      await this.upload(realm);
      await this.download(realm);
    }
  }

  async #identified(realm: ServerRealm) {
    if (this.replica.identity === undefined) {
      const { fileIdent, salt } = await realm.allocateClientFile();
      this.replica.assignIdentity(fileIdent, salt);
    }
    const { upload, download, identity } = this.replica;
    if (identity === undefined) throw new Error('the replica did not take its identity');
    if (!this.#isKnown) {
      // Only a file that has identified itself keeps the history that it needs.
      const { fileIdent, salt } = identity;
      const { latest } = this.replica;
      const verdict = await realm.checkIdent({ fileIdent, fileIdentSalt: salt, download, latest });
      if (verdict.kind === 'rejected')
        throw new Error(`the server does not know the file: ${verdict.message}`);
      this.#isKnown = true;
    }
    return { upload, download, identity };
  }
}
