/** Opens identity from a node's settings: the keys that sign tokens, and the keys of the operator's accounts. */
import { randomBytes } from 'node:crypto';
import type { TokenKeys } from '../../../cluster/model/token-keys.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Metrics } from '../../../cluster/observe/metrics.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import type { AccountSettings } from '../../../config/config.ts';
import { isUrl } from '../../../config/public-url.ts';
import { UnusableError } from '../../../config/unusable.ts';
import { accountKeysOf } from './account-keys.ts';
import { openIdentity } from './identity.jose.ts';
import type { Identities, Receipts } from './identity.ts';
import { readerOfFile, readerOfUrl, type ReadKeys } from './key-reader.http.ts';
import { KeptKeys } from './kept-keys.ts';
import type { Accounts } from './token-verifier.jose.ts';
import { voicesBy, type Voices } from './voices.ts';

export interface IdentitySettings {
  readonly tokenKeys: TokenKeys;
  readonly accounts: AccountSettings | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * A file of keys is read at once: one that cannot be used stops the start. A URL is read when the first account comes, so that an outage
 * there stops no node.
 *
 * @throws UnusableError that says what is wrong with the file
 */
export async function composeIdentity(settings: IdentitySettings): Promise<Identities & Receipts & Voices> {
  const { tokenKeys, clock, logger, metrics } = settings;
  const accounts = await accountsOf(settings);
  const newId = (): string => randomBytes(12).toString('hex');
  const identity = await openIdentity({ keys: tokenKeys, accounts, clock, metrics, newId });
  if (tokenKeys.shared === undefined && new Set(tokenKeys.known.map(({ region }) => region)).size > 1)
    logger.warn(
      {},
      'the file of TANGAZA_TOKEN_KEYS has keys of several regions and no secret that they share: the guests of one network have a report in each region; put the same key of kind oct into the files of all',
    );
  return Object.assign(identity, voicesBy(tokenKeys.shared ?? tokenKeys.signing.d));
}

async function accountsOf({
  accounts,
  clock,
  logger,
  metrics,
}: IdentitySettings): Promise<Accounts | undefined> {
  if (accounts === undefined) return undefined;
  const { keys: place, issuer, audience } = accounts;
  const read = isUrl(place) ? readerOfUrl(place, clock) : readerOfFile(place);
  if (!isUrl(place)) await mustBeUsable(place, read);
  const reads = metrics.counter({
    name: 'tangaza_account_key_reads_total',
    help: "Reads of the keys that sign accounts' tokens.",
    labels: ['result'],
  });
  const onRead = (result: string): void => reads.add(1, { result });
  return { keys: new KeptKeys({ read, place, clock, logger, onRead }), issuer, audience };
}

async function mustBeUsable(file: string, read: ReadKeys): Promise<void> {
  const content = await read().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnusableError(`TANGAZA_ACCOUNT_KEYS: ${file} cannot be read: ${why}`);
  });
  const found = accountKeysOf(content);
  if ('fault' in found) throw new UnusableError(`TANGAZA_ACCOUNT_KEYS: ${file} ${found.fault}`);
}
