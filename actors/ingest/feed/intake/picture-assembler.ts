/**
 * Makes pictures of messages, whatever the messages hold: one picture each, one NAL unit each, or anything between.
 *
 * Some encoders and relays send a picture in one message, some send each slice, parameter set and SEI in its own, and some
 * put two pictures in one. So the codec's own rules say where a picture begins (unit-rules.ts), never the message. A
 * picture is given out with its first slice and grows by what follows, so nobody waits for the next picture to see that
 * this one is a keyframe. Units in front of a picture are kept until it comes.
 */
import { mediaInvalid } from '../../../media/bits/byte-reader.ts';
import { CodedPicture } from './coded-picture.ts';
import type { BegunPicture, CodedUnit, UnitRules } from './unit-rules.ts';

export interface AssembledPicture extends BegunPicture {
  readonly data: CodedPicture;
}

/** Limit of parameter sets and SEI in front of one picture. Beyond it they are dropped with a warning. */
const mostKeptBytes = 1 << 20;
/** What a part costs beside its bytes: bounds the number of tiny ones. */
const partOverheadBytes = 256;

/** Units of one message side by side, and the picture that they begin. */
interface Run {
  readonly units: readonly CodedUnit[];
  readonly begun: BegunPicture | undefined;
}

export class PictureAssembler {
  readonly #rules: UnitRules;
  #current: CodedPicture | undefined;
  /** In front of the picture to come. */
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #grownBytes = 0;

  constructor(rules: UnitRules) {
    this.#rules = rules;
  }

  /** What is kept for the next picture, and what the last one has grown by since it was given out. */
  get heldBytes(): number {
    return this.#keptBytes + this.#grownBytes;
  }

  /**
   * @param message valid only during the call
   * @returns the pictures that begin in it
   * @throws TangazaError `MEDIA_INVALID` when it does not split, or too much stands in front of a picture
   */
  push(message: Uint8Array): readonly AssembledPicture[] {
    const { runs, rest } = this.#sort(this.#rules.split(message));
    const pictures: AssembledPicture[] = [];
    for (const { units, begun } of runs) {
      const part = this.#rules.copy(message, units);
      if (begun === undefined) this.#goOn(part);
      else pictures.push({ ...begun, data: this.#begin(part) });
    }
    if (rest.length > 0) this.#keep(this.#rules.copy(message, rest));
    return pictures;
  }

  /** @returns the runs, and what stands in front of a picture of a later message */
  #sort(units: readonly CodedUnit[]): { readonly runs: readonly Run[]; readonly rest: readonly CodedUnit[] } {
    const runs: Run[] = [];
    let run: CodedUnit[] = [];
    let next: CodedUnit[] = [];
    for (const unit of units) {
      const place = this.#rules.judge(unit);
      if (place === 'next') {
        next.push(unit);
        continue;
      }
      if (place === 'begins' || runs.length === 0) {
        run = [];
        runs.push({ units: run, begun: place === 'begins' ? this.#rules.begun : undefined });
      }
      run.push(...next, unit);
      next = [];
    }
    return { runs, rest: next };
  }

  #begin(part: Uint8Array): CodedPicture {
    const [first, ...more] = [...this.#kept, part];
    const picture = new CodedPicture(first);
    for (const one of more) picture.append(one);
    this.#forgetKept();
    this.#grownBytes = 0;
    this.#current = picture;
    return picture;
  }

  /** Before the first picture nothing is under way; what comes then (filler, at most) is dropped. */
  #goOn(part: Uint8Array): void {
    for (const one of [...this.#kept, part]) {
      this.#current?.append(one);
      this.#grownBytes += one.length + partOverheadBytes;
    }
    this.#forgetKept();
  }

  #keep(part: Uint8Array): void {
    this.#kept.push(part);
    this.#keptBytes += part.length + partOverheadBytes;
    if (this.#keptBytes <= mostKeptBytes) return;
    const bytes = this.#keptBytes;
    this.#forgetKept();
    this.#rules.dropNext();
    throw mediaInvalid(`${bytes} bytes of parameter sets and SEI came without a picture`);
  }

  #forgetKept(): void {
    if (this.#kept.length > 0) this.#kept = [];
    this.#keptBytes = 0;
  }
}
