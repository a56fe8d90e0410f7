/** The record of commits on disk. */
import type { CommitLog, Instance } from '../storage/instance.ts';

export class Journal implements CommitLog {
  constructor(_directory: string, _instance: Instance) {
    throw new Error('The journal is not here yet.');
  }

  append(): void {}

  logins(): void {}

  close(): void {}
}
