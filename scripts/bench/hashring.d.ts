/** The part of hashring (no types of its own) that the benchmark uses. */
declare module 'hashring' {
  export default class HashRing {
    constructor(servers: readonly string[], algorithm?: string);
    get(key: string): string;
  }
}
