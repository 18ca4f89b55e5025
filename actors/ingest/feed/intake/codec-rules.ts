/** Chooses the rules by which pictures of a configuration begin. */
import { unreachable } from '../../../../cluster/model/unreachable.ts';
import type { VideoConfiguration } from '../video-configuration.ts';
import { Av1Rules } from './av1-rules.ts';
import { AvcRules } from './avc-rules.ts';
import { HevcRules } from './hevc-rules.ts';
import type { UnitRules } from './unit-rules.ts';

export function rulesFor({ codec, lengthSize, parameterSets }: VideoConfiguration): UnitRules {
  switch (codec) {
    case 'h264':
      return new AvcRules(lengthSize, parameterSets);
    case 'hevc':
      return new HevcRules(lengthSize);
    case 'av1':
      return new Av1Rules();
    default:
      return unreachable(codec);
  }
}
