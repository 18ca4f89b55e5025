/** A value of AMF0 or AMF3 as it is read. Of objects only their entries are kept, in the order in which they came. */
export type Amf = undefined | null | boolean | number | string | readonly Amf[] | ReadonlyMap<string, Amf>;
