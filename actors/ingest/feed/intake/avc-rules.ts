/** Where H.264 pictures begin (ISO/IEC 14496-10 7.4.1.2.3 and 7.4.1.2.4). Two fields of one frame are one picture. */
import { avcNal, avcNalType } from '../../../media/avc/nal-units.ts';
import { parsePps, type AvcPps } from '../../../media/avc/pps.ts';
import { recoveryFrames } from '../../../media/avc/sei.ts';
import {
  isIntra,
  isOtherPicture,
  isSecondField,
  readSliceStart,
  type SliceStart,
} from '../../../media/avc/slice-start.ts';
import { parseSps, type AvcSps } from '../../../media/avc/sps.ts';
import { copyUnits, splitUnits } from './length-prefixed-units.ts';
import type { BegunPicture, CodedUnit, NearKey, UnitPlace, UnitRules } from './unit-rules.ts';

/** Prefix and subset types that stand in front of a picture, beside parameter sets, SEI and delimiters. */
const reservedPrefix = { first: 14, last: 18 } as const;

const openGopFrom = 2;

export class AvcRules implements UnitRules {
  readonly #lengthSize: number;
  readonly #sps = new Map<number, AvcSps>();
  readonly #pps = new Map<number, AvcPps>();
  readonly #sets = {
    sps: (id: number): AvcSps | undefined => this.#sps.get(id),
    pps: (id: number): AvcPps | undefined => this.#pps.get(id),
  };
  #begun: BegunPicture = { role: 'other', parameterSets: [] };
  /** The last slice's header: `unread` for one that cannot be read. */
  #last: SliceStart | 'unread' | undefined;
  #hasFirstMacroblock = false;
  #isPaired = false;
  /** A delimiter came: whatever slice is next begins a picture. */
  #isDelimited = false;
  #newSets: Uint8Array[] = [];
  #recovery: number | undefined;
  /** The picture under way is no IDR, and has had I slices only. */
  #isIntra = false;
  /** Whole I pictures since the last IDR. */
  #intraPictures = 0;

  constructor(lengthSize: number, parameterSets: readonly Uint8Array[]) {
    this.#lengthSize = lengthSize;
    for (const set of parameterSets) this.#learn(set);
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

  judge({ bytes }: CodedUnit): UnitPlace {
    const type = avcNalType(bytes);
    switch (type) {
      case avcNal.slice:
      case avcNal.partitionA:
      case avcNal.idr:
        return this.#judgeSlice(bytes, readSliceStart(bytes, this.#sets) ?? 'unread');
      case avcNal.sps:
      case avcNal.pps:
        this.#learn(bytes);
        this.#newSets.push(Uint8Array.from(bytes));
        return 'next';
      case avcNal.sei:
        this.#recovery = recoveryFrames(bytes) ?? this.#recovery;
        return 'next';
      case avcNal.delimiter:
        this.#isDelimited = true;
        return 'next';
      default:
        return type >= reservedPrefix.first && type <= reservedPrefix.last ? 'next' : 'goesOn';
    }
  }

  dropNext(): void {
    this.#newSets = [];
    this.#recovery = undefined;
  }

  /** A set that cannot be read leaves the one that was there: then slices tell pictures apart by their first macroblock. */
  #learn(set: Uint8Array): void {
    try {
      if (avcNalType(set) === avcNal.sps) {
        const sps = parseSps(set);
        this.#sps.set(sps.id, sps);
      } else {
        const pps = parsePps(set);
        this.#pps.set(pps.id, pps);
      }
    } catch {
      return;
    }
  }

  #judgeSlice(bytes: Uint8Array, slice: SliceStart | 'unread'): UnitPlace {
    const isFirstMacroblock = ((bytes[1] ?? 0) & 0x80) !== 0;
    const begins = this.#begins(slice, isFirstMacroblock);
    const isSecond = begins && this.#isSecondField(slice);
    const isSliceIntra = slice !== 'unread' && isIntra(slice);
    this.#last = slice;
    this.#hasFirstMacroblock = isFirstMacroblock || (this.#hasFirstMacroblock && !begins);
    if (!begins || isSecond) {
      this.#isIntra &&= isSliceIntra;
      this.#isPaired ||= isSecond;
      this.#isDelimited = false;
      return 'goesOn';
    }
    this.#isPaired = false;
    this.#begin(bytes);
    this.#isIntra = isSliceIntra && this.#begun.role !== 'key';
    return 'begins';
  }

  #begins(slice: SliceStart | 'unread', isFirstMacroblock: boolean): boolean {
    const last = this.#last;
    if (last === undefined || this.#isDelimited) return true;
    if (slice === 'unread' || last === 'unread') return isFirstMacroblock;
    if (isOtherPicture(last, slice)) return true;
    return isFirstMacroblock && this.#hasFirstMacroblock && !slice.isRedundant;
  }

  #isSecondField(slice: SliceStart | 'unread'): boolean {
    const last = this.#last;
    if (this.#isPaired || slice === 'unread' || last === 'unread' || last === undefined) return false;
    return isSecondField(last, slice);
  }

  #begin(bytes: Uint8Array): void {
    const isKey = avcNalType(bytes) === avcNal.idr;
    this.#intraPictures = isKey ? 0 : this.#intraPictures + (this.#isIntra ? 1 : 0);
    const nearKey = isKey ? undefined : this.#nearKey();
    this.#begun = {
      role: isKey ? 'key' : 'other',
      parameterSets: this.#newSets,
      ...(nearKey === undefined ? {} : { nearKey }),
    };
    if (this.#newSets.length > 0) this.#newSets = [];
    this.#recovery = undefined;
    this.#isDelimited = false;
  }

  /**
   * Without a recovery point only I pictures that come again and again tell of open GOPs: one alone is a change of scene,
   * and an I slice among others the refresh of some encoders. A picture is known to be one when the next begins.
   */
  #nearKey(): NearKey | undefined {
    if (this.#recovery !== undefined) return this.#recovery > 0 ? 'intraRefresh' : 'openGop';
    return this.#intraPictures >= openGopFrom ? 'openGop' : undefined;
  }
}
