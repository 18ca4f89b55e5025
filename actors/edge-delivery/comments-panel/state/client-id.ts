/** Mints the id of a comment before it is sent: a UUIDv7 (RFC 9562, 5.7), whose time is the comment's (A2). */

/**
 * @param atMs server time
 * @param random 10 bytes
 */
export function mintClientId(atMs: number, random: Uint8Array): string {
  const time = Math.max(0, Math.floor(atMs)).toString(16).padStart(12, '0').slice(-12);
  const bytes = Array.from({ length: 10 }, (_, index) => random[index] ?? 0);
  bytes[0] = 0x70 | ((bytes[0] ?? 0) & 0x0f);
  bytes[2] = 0x80 | ((bytes[2] ?? 0) & 0x3f);
  const rest = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${time.slice(0, 8)}-${time.slice(8)}-${rest.slice(0, 4)}-${rest.slice(4, 8)}-${rest.slice(8)}`;
}
