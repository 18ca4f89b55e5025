/** Parameter sets in pictures without a sequence header, behind lengths that look like start codes. */
import { expect, test } from 'vitest';
import { LooseSets } from '../../../../../../actors/ingest/feed/intake/loose-sets.ts';
import { joinLengthPrefixed } from '../../../../../../actors/media/avc/nal-units.ts';
import { avcSets, avcSlice } from '../../../../../support/media/coded-units.ts';

// A length of 256 to 511 is 00 00 01 xx, as a start code is.
test.each([200, 256, 300, 511, 600])('sets behind an SEI of %i bytes are found', (size) => {
  const sei = new Uint8Array(size).fill(0x55);
  sei.set([6, 5]);
  const message = joinLengthPrefixed([sei, ...avcSets.sps, ...avcSets.pps, avcSlice({ isIdr: true })]);
  expect(new LooseSets().learn(message)?.codec).toBe('h264');
});

test('sets behind start codes of three and of four bytes are found', () => {
  const nals = [...avcSets.sps, ...avcSets.pps, avcSlice({ isIdr: true })];
  for (const code of [Uint8Array.of(0, 0, 1), Uint8Array.of(0, 0, 0, 1)]) {
    const message = Buffer.concat(nals.flatMap((nal) => [code, nal]));
    expect(new LooseSets().learn(message)?.codec).toBe('h264');
  }
});
