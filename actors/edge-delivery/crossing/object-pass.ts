/**
 * Passes with which an edge asks an edge of another region for objects (R5). Who has no secret of the regions can make none.
 *
 * A pass is good for one path and two minutes. It says when it ends and who asks, and is signed by HMAC-SHA-256. Clocks may differ by a
 * minute and more. A pass that somebody overhears gives him an object that viewers may have anyhow, so it may be used again.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { RegionId } from '../../../cluster/model/ids.ts';

/** How long a pass is good for, in seconds. */
const goodForSeconds = 120;
/** The clock of its maker may be ahead of ours by the difference. */
const mostSeconds = 300;

const scheme = 'Tangaza-Region ';
const pattern = /^Tangaza-Region ([a-z0-9_-]{1,64})\.(\d{1,12})\.([\w-]{43})$/;

/** The key of passes: it opens nothing else, whatever else the secret is for. */
export const passKeyOf = (secret: string): Buffer =>
  createHmac('sha256', secret).update('objects between regions').digest();

/** The value of the header `authorization`. */
export function makePass(key: Buffer, region: RegionId, path: string, utcMs: number): string {
  const untilSeconds = Math.ceil(utcMs / 1000) + goodForSeconds;
  const signed = signature(key, region, untilSeconds, path).toString('base64url');
  return `${scheme}${region}.${untilSeconds}.${signed}`;
}

/** Whether an edge of another region asks, by its own account: to be asked is then not passed on, so that no question goes round. */
export const asksAcross = (header: string): boolean => header.startsWith(scheme);

/** The region that asks; undefined where the pass is none, is over, or is for another path. */
export function regionOfPass(key: Buffer, header: string, path: string, utcMs: number): RegionId | undefined {
  const [, from, until = '', signed = ''] = pattern.exec(header) ?? [];
  const region = RegionId.safeParse(from);
  const leftSeconds = Number(until) - utcMs / 1000;
  if (!region.success || leftSeconds < 0 || leftSeconds > mostSeconds) return undefined;
  const given = Buffer.from(signed, 'base64url');
  const made = signature(key, region.data, Number(until), path);
  return given.length === made.length && timingSafeEqual(given, made) ? region.data : undefined;
}

function signature(key: Buffer, region: RegionId, untilSeconds: number, path: string): Buffer {
  return createHmac('sha256', key).update(`GET ${path} ${region} ${untilSeconds}`).digest();
}
