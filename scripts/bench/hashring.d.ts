/** Types for the part of hashring that the benchmark uses, as it has none of its own. */
declare module 'hashring' {
  export default class HashRing {
    constructor(servers: readonly string[], algorithm?: string);
    get(key: string): string;
  }
}
