/** How a simulated node finds the dead: the product's detector, with probes that reach only whom the network lets them reach. */
import {
  advance,
  createDetector,
  detectorLimits,
  type Detector,
  type DetectorInput,
} from '../../cluster/membership/detector.ts';
import type { Life, View } from '../../cluster/membership/view.ts';
import type { BootId, NodeId } from '../../cluster/model/ids.ts';
import { unreachable } from '../../cluster/model/unreachable.ts';
import { isCut, lossShare, type Process, type World } from './world.ts';

/** A process as monitors see it. */
export interface Monitored extends Process {
  readonly bootId: BootId;
  readonly monotonicMs: number;
  readonly monitor: SimulatedMonitor;
}

export interface MonitorParts {
  readonly self: Monitored;
  readonly world: World;
  readonly nodes: ReadonlyMap<NodeId, Monitored>;
  readonly declareDead: (life: Life) => void;
}

export class SimulatedMonitor {
  readonly #parts: MonitorParts;
  detector: Detector;

  constructor(parts: MonitorParts, view: View) {
    this.#parts = parts;
    this.detector = createDetector(parts.self.id, view);
  }

  feed(input: DetectorInput): void {
    const { self, world, nodes, declareDead } = this.#parts;
    const { detector, effects } = advance(this.detector, input, self.monotonicMs);
    this.detector = detector;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'probe':
          this.#probe(effect.path, effect.member);
          break;
        case 'tell':
          for (const other of nodes.values())
            if (other !== self)
              world.send(self, other, () =>
                other.monitor.feed({ kind: 'accusation', accusation: effect.accusation }),
              );
          break;
        case 'declareDead':
          declareDead(effect.life);
          break;
        default:
          unreachable(effect);
      }
    }
  }

  #probe(path: 'p1' | 'p2', life: Life): void {
    const target = this.#parts.nodes.get(life.id);
    if (path === 'p1') this.#probeP1(target, life);
    else this.#probeP2(target, life);
  }

  #probeP1(target: Monitored | undefined, life: Life): void {
    const { self, world } = this.#parts;
    const isThatBoot = target !== undefined && target.state !== 'killed' && target.bootId === life.bootId;
    if (isThatBoot && target.state === 'up' && this.#isHeardBy(target))
      return this.feed({ kind: 'p1', life, isOk: true });
    const afterMs = isThatBoot ? detectorLimits.p1TimeoutMs : world.delayMs();
    world.inProcess(self, afterMs, () => self.monitor.feed({ kind: 'p1', life, isOk: false }));
  }

  /** A request over NATS, and its answer. */
  #isHeardBy(target: Monitored): boolean {
    const { self, world } = this.#parts;
    const { cutNats } = world;
    const isReached =
      world.reachesNats(self) &&
      world.reachesNats(target) &&
      !isCut(cutNats, self.id, target.id) &&
      !isCut(cutNats, target.id, self.id);
    return isReached && !world.random.chance(lossShare);
  }

  #probeP2(target: Monitored | undefined, life: Life): void {
    const { self, world } = this.#parts;
    const state = isCut(world.cutHttp, self.id, life.id) ? 'frozen' : target?.state;
    const result = state === 'killed' ? 'refused' : state === 'up' ? 'ok' : 'timedOut';
    const afterMs = result === 'timedOut' ? detectorLimits.p2TimeoutMs : 1;
    world.inProcess(self, afterMs, () => self.monitor.feed({ kind: 'p2', life, result }));
  }
}
