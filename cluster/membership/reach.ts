/**
 * Can viewers, encoders and members on other hosts reach a member by what it advertises?
 *
 * Members on one host may advertise its loopback: a demo does. As soon as members are on several hosts, such an address
 * leads everybody else to themselves.
 */
import type { Member } from './member-directory.ts';

type Advertised = Pick<Member, 'id' | 'host' | 'roles' | 'httpUrl' | 'rtmpUrl'>;

/** Loopback and wildcard addresses, as `URL` writes them. */
const onlyHere =
  /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\]|\[::ffff:(?:7f[0-9a-f]{2}|0):\d+\])$/;

/** @param url also one that cannot be read: that is not known to be only here */
export function isOnlyHere(url: string): boolean {
  return onlyHere.test(URL.parse(url)?.hostname ?? '');
}

/** Which setting a member on its host lacks, and what it advertises now; undefined when others reach it. */
function lacking({ roles, httpUrl, rtmpUrl }: Advertised): string | undefined {
  if (roles.includes('edge-delivery') && isOnlyHere(httpUrl)) return `${httpUrl}: set TANGAZA_PUBLIC_URL`;
  if (roles.includes('ingest') && isOnlyHere(rtmpUrl)) return `${rtmpUrl}: set TANGAZA_PUBLIC_RTMP_URL`;
  return undefined;
}

/** Behind a front that both share, whoever asks one for a sign of life gets it from the other. */
function isConfused(self: Advertised, other: Advertised): boolean {
  const areEdges = [self, other].every(({ roles }) => roles.includes('edge-delivery'));
  return areEdges && self.id !== other.id && self.httpUrl === other.httpUrl;
}

/** Why these members cannot be of one cluster, and what to do; undefined when they can. */
export function unreachableFrom(self: Advertised, others: readonly Advertised[]): string | undefined {
  const namesake = others.find((other) => isConfused(self, other));
  if (namesake !== undefined)
    return `${self.id} would be reached under ${self.httpUrl}, as ${namesake.id} is: give each node a TANGAZA_PUBLIC_URL of its own, for under a common one a dead node seems to answer.`;
  const elsewhere = others.filter(({ id, host }) => id !== self.id && host !== self.host);
  const [first] = elsewhere;
  if (first === undefined) return undefined;
  const own = lacking(self);
  if (own !== undefined)
    return `${self.id} on ${self.host} would be reached under ${own}, for ${first.id} runs on another host, ${first.host}.`;
  for (const other of elsewhere) {
    const theirs = lacking(other);
    if (theirs !== undefined)
      return `${other.id} runs on another host, ${other.host}, and cannot be reached from here under ${theirs} there, and start it again.`;
  }
  return undefined;
}
