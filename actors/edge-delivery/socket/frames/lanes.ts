/**
 * Spreads a frame for very many sockets over turns of the event loop (A8).
 *
 * A frame for 5,000 sockets is 30 to 100 ms of work (measured). In one turn of the event loop, nothing else would be served meanwhile. So the
 * sockets of a topic are in lanes, each a topic of the library, and a turn writes to 500 sockets at most. All frames of a node share these
 * turns, in the order in which they came.
 *
 * N1. A socket gets the frames of a topic in their order. At most one frame waits in a lane; the next one sends it at once.
 * N2. A socket gets no frame that was published before it joined: what waits in its lane goes out first.
 * N3. What is sent to a socket alone overtakes no frame: what waits in its lanes goes out first.
 */

/** Some sockets of a topic. */
export interface Lane {
  /** The topic of the library that its sockets are in. */
  readonly name: string;
  readonly topic: string;
  members: number;
  waiting: string | undefined;
}

export interface LanePorts {
  /** Writes a text to all sockets of a lane, in order with what was written to them before. */
  readonly write: (lane: string, text: string) => void;
  /** Runs it in the next turn of the event loop. */
  readonly nextTurn: (run: () => void) => void;
}

/** To so many sockets a turn writes: 3 to 10 ms of work. */
export const socketsOfTurn = 500;

export class Lanes {
  readonly #ports: LanePorts;
  readonly #topics = new Map<string, Lane[]>();
  /** The lanes in which a frame waits, longest first. */
  readonly #queue = new Set<Lane>();
  #left = socketsOfTurn;
  #isTurnDue = false;
  #named = 0;

  constructor(ports: LanePorts) {
    this.#ports = ports;
  }

  /**
   * Sends a text to all sockets of a topic, to the first ones at once.
   *
   * @returns how many lanes got the frame before only now, as the event loop is too slow for so many frames
   */
  publish(topic: string, text: string): number {
    let late = 0;
    for (const lane of this.#topics.get(topic) ?? []) {
      if (lane.members === 0) continue;
      if (lane.waiting !== undefined) late += 1;
      this.settle(lane);
      lane.waiting = text;
      this.#queue.add(lane);
    }
    this.#run();
    return late;
  }

  /** Finds a lane for one more socket of a topic. Nothing waits in it (N2). */
  join(topic: string): Lane {
    const lanes = this.#topics.get(topic) ?? [];
    this.#topics.set(topic, lanes);
    const lane = lanes.find(({ members }) => members < socketsOfTurn) ?? this.#newLane(topic, lanes);
    this.settle(lane);
    lane.members += 1;
    return lane;
  }

  /** To be called when a socket has left its lane, or has closed. */
  leave(lane: Lane): void {
    lane.members -= 1;
    if (lane.members > 0) return;
    lane.waiting = undefined;
    this.#queue.delete(lane);
    const lanes = this.#topics.get(lane.topic) ?? [];
    while (lanes.at(-1)?.members === 0) lanes.pop();
    if (lanes.length === 0) this.#topics.delete(lane.topic);
  }

  /** Sends what waits in a lane at once. */
  settle(lane: Lane): void {
    if (lane.waiting === undefined) return;
    const text = lane.waiting;
    lane.waiting = undefined;
    this.#queue.delete(lane);
    this.#left -= lane.members;
    this.#ports.write(lane.name, text);
    this.#endTurn();
  }

  #newLane(topic: string, lanes: Lane[]): Lane {
    this.#named += 1;
    const lane: Lane = { name: `${topic}/${this.#named}`, topic, members: 0, waiting: undefined };
    lanes.push(lane);
    return lane;
  }

  #run(): void {
    for (const lane of this.#queue) {
      if (this.#left < socketsOfTurn && lane.members > this.#left) return;
      this.settle(lane);
    }
  }

  #endTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#ports.nextTurn(() => {
      this.#isTurnDue = false;
      this.#left = socketsOfTurn;
      this.#run();
    });
  }
}
