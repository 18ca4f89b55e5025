/** Chooses H.264 levels: which one a picture size, a frame rate and a bit rate need (ITU-T H.264, table A-1). */
import type { Ratio } from '../../../cluster/contract/renditions.ts';

interface Level {
  /** The level times ten. */
  readonly level: number;
  readonly maxMacroblocksPerSecond: number;
  readonly maxFrameMacroblocks: number;
  /** The bit rate of the Main profile, in kbit/s; High may spend 1.25 times as much. */
  readonly maxKbps: number;
  readonly maxDpbMacroblocks: number;
}

const level = (
  level: number,
  maxMacroblocksPerSecond: number,
  maxFrameMacroblocks: number,
  [maxKbps, maxDpbMacroblocks]: readonly [number, number],
): Level => ({ level, maxMacroblocksPerSecond, maxFrameMacroblocks, maxKbps, maxDpbMacroblocks });

/** From level 2.1 on, because lower ones save no device anything. */
const levels: readonly Level[] = [
  level(21, 19_800, 792, [4000, 4752]),
  level(22, 20_250, 1620, [4000, 8100]),
  level(30, 40_500, 1620, [10_000, 8100]),
  level(31, 108_000, 3600, [14_000, 18_000]),
  level(32, 216_000, 5120, [20_000, 20_480]),
  level(40, 245_760, 8192, [20_000, 32_768]),
  level(41, 245_760, 8192, [50_000, 32_768]),
  level(42, 522_240, 8704, [50_000, 34_816]),
  level(50, 589_824, 22_080, [135_000, 110_400]),
  level(51, 983_040, 36_864, [240_000, 184_320]),
  level(52, 2_073_600, 36_864, [240_000, 184_320]),
  level(60, 4_177_920, 139_264, [240_000, 696_320]),
  level(61, 8_355_840, 139_264, [480_000, 696_320]),
  level(62, 16_711_680, 139_264, [800_000, 696_320]),
];

export interface LevelDemand {
  readonly width: number;
  readonly height: number;
  readonly frameRate: Ratio;
  readonly maxrateBps: number;
  readonly profile: 'main' | 'high';
  /** Reference pictures. */
  readonly refs: number;
}

/** @returns ten times the lowest level that carries the demand; the highest there is when none does */
export function avcLevel(demand: LevelDemand): number {
  const columns = Math.ceil(demand.width / 16);
  const rows = Math.ceil(demand.height / 16);
  const perFrame = columns * rows;
  const perSecond = (perFrame * demand.frameRate[0]) / demand.frameRate[1];
  const kbps = demand.maxrateBps / 1000 / (demand.profile === 'high' ? 1.25 : 1);
  const fits = (one: Level): boolean =>
    perFrame <= one.maxFrameMacroblocks &&
    perSecond <= one.maxMacroblocksPerSecond &&
    kbps <= one.maxKbps &&
    Math.max(columns, rows) <= Math.sqrt(8 * one.maxFrameMacroblocks) &&
    demand.refs * perFrame <= one.maxDpbMacroblocks;
  return levels.find(fits)?.level ?? 62;
}

/** The RFC 6381 name of what x264 writes: Main sets constraint_set1 (`4d40`), High sets none (`6400`). */
export function avcCodecs(profile: 'main' | 'high', level: number): string {
  return `avc1.${profile === 'high' ? '6400' : '4d40'}${level.toString(16).padStart(2, '0')}`;
}
