/** Opens an engine: in memory, or with what a directory holds from before. */
import type { SqlEngine } from '../contract.ts';
import { Engine, type EngineOptions } from './engine.ts';
import type { Faults } from './faults.ts';

export type OpenedEngine = {
  readonly engine: SqlEngine;
  readonly faults: Faults;
  /** Goes away as in a power cut: what was acknowledged is on disk, and nothing more is written. */
  crash(): void;
  close(): void;
};

export async function openEngine(options: EngineOptions): Promise<OpenedEngine> {
  const engine = new Engine(options);
  return {
    engine,
    faults: engine.faults,
    crash: () => engine.crash(),
    close: () => engine.close(),
  };
}
