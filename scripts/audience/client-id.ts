/** Makes the ids that writers give their comments: UUIDs of version 7, with the time of writing in front (A2, RFC 9562). */
import { ClientId } from '../../cluster/model/ids.ts';

/** @param random ten bytes */
export function clientIdAt(createdAtMs: number, random: Uint8Array): ClientId {
  const hex = [...random].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const time = Math.floor(createdAtMs).toString(16).padStart(12, '0');
  const variant = (8 + (Number.parseInt(hex[3] ?? '0', 16) % 4)).toString(16);
  const parts = [time.slice(0, 8), time.slice(8), `7${hex.slice(0, 3)}`, `${variant}${hex.slice(4, 7)}`];
  return ClientId.parse(`${parts.join('-')}-${hex.slice(7, 19)}`);
}

export function createdAtOf(clientId: string): number {
  return Number.parseInt(clientId.slice(0, 8) + clientId.slice(9, 13), 16);
}
