/** Says why a gateway's client does not work, in words that tell an operator what to do. */
import { errorCodeOf } from '../../errors/tangaza-error.ts';
import { accessFault, factsOf, withoutPassword } from '../../nats/access-faults.ts';
import type { RegionId } from '../../model/ids.ts';
import type { Region } from '../topology/topology.ts';
import { regionNamed } from '../../model/region-words.ts';

/** A proof that was asked for and is wrong. */
export class WrongSecret extends Error {}

/** Two files of the regions that give a region different ordinals: both regions would make the same epochs (C5). */
export const ordinalWords = (
  region: RegionId,
  { its, ours }: { readonly its: number; readonly ours: number },
): string =>
  `${regionNamed(region)} has ordinal ${its} in its own file of the regions, and ${ours} in that of the other side: give all nodes of all regions one file (TANGAZA_REGIONS), and restart them`;

const settings = {
  tls: 'ca, cert and key of that region in the file of TANGAZA_REGIONS',
  credentials: 'its credentials in that file',
};

/** Times in ms. */
const pauses = { unheard: 500, refused: 5000 } as const;

/**
 * How long the next try may be put off. Where nobody answers, the link may be healed at any moment, and viewers stand still until then. Who
 * refuses us does so until somebody has mended a file, and writes each try into its log.
 */
export function longestPauseMs(fault: unknown): number {
  const place = { whose: '', settings, user: 'gateway' } as const;
  const isRefused =
    fault instanceof WrongSecret ||
    errorCodeOf(fault) === 'FORBIDDEN' ||
    accessFault(fault, place) !== undefined;
  return isRefused ? pauses.refused : pauses.unheard;
}

/** @param error what connecting, a hello or the connection ended with */
export function wordsOf(error: unknown, { id, gateway }: Region): string {
  const at = gateway.natsUrls.map(withoutPassword).join(', ');
  if (error instanceof WrongSecret)
    return `${regionNamed(id)} has other shared secrets: give the nodes of both regions one secrets.json, unless this is the address of somebody else's cluster (${at})`;
  const whose = `the NATS of ${regionNamed(id)} (${at})`;
  const fault = accessFault(error, { whose, settings, user: 'gateway' });
  if (fault !== undefined) return fault;
  const { name, message } = factsOf(error);
  if (name === 'NoRespondersError' || message.includes('no responders'))
    return `no node of ${regionNamed(id)} answers at ${at}: is it the NATS of that region, and are its nodes up?`;
  return `${whose} does not answer (${message})`;
}
