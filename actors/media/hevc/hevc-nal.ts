/** NAL unit types of HEVC (ISO/IEC 23008-2 table 7-1) and what they mean for cutting (M3). */

/** `nal_unit_type`; 63 (unspecified) for an empty NAL unit. */
export function hevcNalType(nal: Uint8Array): number {
  return ((nal[0] ?? 0x7e) >> 1) & 0x3f;
}

export const hevcNal = {
  raslFirst: 8,
  raslLast: 9,
  radlFirst: 6,
  blaFirst: 16,
  idrRadl: 19,
  idr: 20,
  cra: 21,
  vps: 32,
  sps: 33,
  pps: 34,
  delimiter: 35,
  prefixSei: 39,
} as const;

export function isHevcVcl(nal: Uint8Array): boolean {
  return hevcNalType(nal) < hevcNal.vps;
}

/** `nuh_layer_id`: 0 for the pictures themselves, more for what scalable extensions add to them. */
export function hevcLayer(nal: Uint8Array): number {
  return (((nal[0] ?? 0) & 1) << 5) | ((nal[1] ?? 0) >> 3);
}

/** `first_slice_segment_in_pic_flag`, the first bit of every slice header (7.3.6.1). */
export function isFirstSegment(nal: Uint8Array): boolean {
  return ((nal[2] ?? 0) & 0x80) !== 0;
}

/**
 * Whether a unit belongs to the picture behind it. Behind a picture, such a unit tells that the next one begins
 * (7.4.2.4.4): parameter sets, delimiter, prefix SEI, and types that are reserved for the same use.
 */
export function isHevcPrefix(type: number): boolean {
  return (
    (type >= hevcNal.vps && type <= hevcNal.delimiter) ||
    type === hevcNal.prefixSei ||
    (type >= 41 && type <= 44) ||
    (type >= 48 && type <= 55)
  );
}

/** BLA, IDR or CRA: decoding may start here, unless a leading picture refers to what came before. */
export function isHevcRandomAccess(type: number): boolean {
  return type >= hevcNal.blaFirst && type <= hevcNal.cra;
}

/** May be followed by leading pictures: CRA, IDR_W_RADL, BLA_W_LP, BLA_W_RADL. */
export function mayHaveLeading(type: number): boolean {
  return type === hevcNal.cra || type === hevcNal.idrRadl || type === 16 || type === 17;
}

/** RADL or RASL: shown before the random-access picture that it follows. */
export function isHevcLeading(type: number): boolean {
  return type >= hevcNal.radlFirst && type <= hevcNal.raslLast;
}

/** Refers to pictures before its random-access picture, so it cannot be decoded after a cut there. */
export function isHevcRasl(type: number): boolean {
  return type === hevcNal.raslFirst || type === hevcNal.raslLast;
}
