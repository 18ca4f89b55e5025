/**
 * Says where AV1 temporal units begin (AV1 7.5): at a temporal delimiter. Containers leave delimiters out, so a unit also
 * begins at the frame behind one that is shown, because a unit shows exactly one frame of each spatial layer.
 */
import {
  isShownFrame,
  isShownKeyFrame,
  obuType,
  spatialLayer,
  splitObus,
  withSize,
  type Obu,
} from '../../../media/av1/obu.ts';
import type { BegunPicture, CodedUnit, UnitPlace, UnitRules } from './unit-rules.ts';

export class Av1Rules implements UnitRules {
  #begun: BegunPicture = { role: 'other', parameterSets: [] };
  #isDelimited = true;
  #hasHeader = false;
  /** The highest spatial layer of which the unit under way shows a frame; -1 for none yet. */
  #shownLayer = -1;

  get begun(): BegunPicture {
    return this.#begun;
  }

  split(message: Uint8Array): readonly CodedUnit[] {
    return splitObus(message).map((obu) => ({
      start: obu.whole.byteOffset - message.byteOffset,
      bytes: obu.whole,
      obu,
    }));
  }

  /** Without delimiters, which ISO files do not carry. */
  copy(_message: Uint8Array, units: readonly CodedUnit[]): Uint8Array {
    const kept = units.flatMap(({ obu }) =>
      obu === undefined || obu.type === obuType.temporalDelimiter ? [] : [withSize(obu)],
    );
    return Buffer.concat(kept);
  }

  judge({ obu }: CodedUnit): UnitPlace {
    switch (obu?.type) {
      case obuType.temporalDelimiter:
        this.#isDelimited = true;
        return 'next';
      case obuType.sequenceHeader:
        this.#hasHeader = true;
        return 'next';
      case obuType.metadata:
        return 'next';
      case obuType.frameHeader:
      case obuType.frame:
        return this.#judgeFrame(obu);
      default:
        return 'goesOn';
    }
  }

  dropNext(): void {
    this.#hasHeader = false;
  }

  #judgeFrame(obu: Obu): UnitPlace {
    const layer = spatialLayer(obu);
    const begins = this.#isDelimited || (this.#shownLayer >= 0 && layer <= this.#shownLayer);
    if (begins) {
      this.#begin(obu);
      this.#shownLayer = -1;
    }
    if (isShownFrame(obu)) this.#shownLayer = layer;
    return begins ? 'begins' : 'goesOn';
  }

  #begin(obu: Obu): void {
    const isKeyFrame = isShownKeyFrame(obu);
    const isKey = isKeyFrame && this.#hasHeader;
    this.#begun = {
      role: isKey ? 'key' : 'other',
      parameterSets: [],
      ...(isKeyFrame && !isKey ? { nearKey: 'noHeader' } : {}),
    };
    this.#hasHeader = false;
    this.#isDelimited = false;
  }
}
