/**
 * Checks whether viewers, encoders and members on other hosts can reach a member at the addresses that it
 * advertises, and read what it stores.
 *
 * Members on one host may advertise the loopback address, as the demo does. With members on several hosts such an address would lead every
 * other host to itself.
 */
import type { Member } from './member-directory.ts';

type Advertised = Pick<Member, 'id' | 'host' | 'roles' | 'httpUrl' | 'rtmpUrl' | 'store'>;

/** Loopback and wildcard addresses, as `URL` writes them. */
const onlyHere =
  /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\]|\[::ffff:(?:7f[0-9a-f]{2}|0):\d+\])$/;

/** @param url may be unreadable, in which case it is not known to be a local one */
export function isOnlyHere(url: string): boolean {
  return onlyHere.test(URL.parse(url)?.hostname ?? '');
}

/** Names the setting that a member lacks, and what it advertises now. Undefined when others can reach it. Members probe each role by HTTP (C3). */
function lacking({ roles, httpUrl, rtmpUrl }: Advertised): string | undefined {
  if (isOnlyHere(httpUrl)) return `${httpUrl}: set TANGAZA_PUBLIC_URL`;
  if (roles.includes('ingest') && isOnlyHere(rtmpUrl)) return `${rtmpUrl}: set TANGAZA_PUBLIC_RTMP_URL`;
  return undefined;
}

/** Two members that share one address behind a front: a probe of one is then answered by the other. */
function isConfused(self: Advertised, other: Advertised): boolean {
  return self.id !== other.id && self.httpUrl === other.httpUrl;
}

/** A folder is shared by the nodes of one host alone (C12). */
function onDisk(member: Advertised, other: Advertised): string {
  return `${member.id} on ${member.host} keeps segments on its disk (TANGAZA_STORE=disk), where ${other.id} on another host, ${other.host}, cannot read them: set TANGAZA_STORE=s3 and the TANGAZA_S3_… of one bucket on every node.`;
}

/** Says why these members cannot form one cluster, and what to do. Undefined when they can. */
export function unreachableFrom(self: Advertised, others: readonly Advertised[]): string | undefined {
  const namesake = others.find((other) => isConfused(self, other));
  if (namesake !== undefined)
    return `${self.id} advertises ${self.httpUrl}, as ${namesake.id} does: give each node its own TANGAZA_PUBLIC_URL, as with a shared one a dead node seems to answer.`;
  const elsewhere = others.filter(({ id, host }) => id !== self.id && host !== self.host);
  const [first] = elsewhere;
  if (first === undefined) return undefined;
  const kept = [self, ...elsewhere].find(({ store }) => store === 'disk');
  if (kept !== undefined) return onDisk(kept, kept === self ? first : self);
  const own = lacking(self);
  if (own !== undefined)
    return `${first.id} runs on another host, ${first.host}, and cannot reach ${self.id} on ${self.host} at ${own}.`;
  for (const other of elsewhere) {
    const theirs = lacking(other);
    if (theirs !== undefined)
      return `${other.id} runs on another host, ${other.host}, and cannot be reached from here at ${theirs} there, and start it again.`;
  }
  return undefined;
}
