/** Where HEVC pictures begin (ISO/IEC 23008-2 7.4.2.4.4): at the first slice segment of the base layer. */
import {
  hevcLayer,
  hevcNal,
  hevcNalType,
  isFirstSegment,
  isHevcLeading,
  isHevcPrefix,
  isHevcRandomAccess,
  isHevcRasl,
  isHevcVcl,
  mayHaveLeading,
} from '../../../media/hevc/hevc-nal.ts';
import { copyUnits, splitUnits } from './length-prefixed-units.ts';
import type { BegunPicture, CodedUnit, UnitPlace, UnitRules } from './unit-rules.ts';

function roleOf(type: number): BegunPicture['role'] {
  if (isHevcRandomAccess(type)) return mayHaveLeading(type) ? 'maybeKey' : 'key';
  if (isHevcRasl(type)) return 'rasl';
  return isHevcLeading(type) ? 'leading' : 'other';
}

export class HevcRules implements UnitRules {
  readonly #lengthSize: number;
  #begun: BegunPicture = { role: 'other', parameterSets: [] };
  #hasPicture = false;
  /** A delimiter came: whatever segment is next begins a picture. */
  #isDelimited = false;
  #newSets: Uint8Array[] = [];

  constructor(lengthSize: number) {
    this.#lengthSize = lengthSize;
  }

  get begun(): BegunPicture {
    return this.#begun;
  }

  split(message: Uint8Array): readonly CodedUnit[] {
    return splitUnits(message, this.#lengthSize);
  }

  copy(message: Uint8Array, units: readonly CodedUnit[]): Uint8Array {
    return copyUnits(message, units, this.#lengthSize);
  }

  dropNext(): void {
    this.#newSets = [];
  }

  judge({ bytes }: CodedUnit): UnitPlace {
    const type = hevcNalType(bytes);
    if (hevcLayer(bytes) > 0) return 'goesOn';
    if (!isHevcVcl(bytes)) {
      this.#isDelimited ||= type === hevcNal.delimiter;
      if (type >= hevcNal.vps && type <= hevcNal.pps) this.#newSets.push(Uint8Array.from(bytes));
      return isHevcPrefix(type) ? 'next' : 'goesOn';
    }
    if (this.#hasPicture && !this.#isDelimited && !isFirstSegment(bytes)) return 'goesOn';
    this.#hasPicture = true;
    this.#isDelimited = false;
    const role = roleOf(type);
    this.#begun = { role, parameterSets: this.#newSets, ...(role === 'rasl' ? { nearKey: 'openGop' } : {}) };
    if (this.#newSets.length > 0) this.#newSets = [];
    return 'begins';
  }
}
