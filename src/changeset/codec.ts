/** The binary form of changesets (changeset-format.md). */
export { BadChangesetError } from './bad-changeset-error.ts';
export { decodeChangeset, decodeToPassOn, type PassedOn } from './codec-decode.ts';
export { encodeChangeset, reencodeChangeset } from './codec-encode.ts';
