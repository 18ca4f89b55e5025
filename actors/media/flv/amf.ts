/** A value of AMF0 or AMF3 as it is read: of objects only what they hold, in the order in which it came. */
export type Amf = undefined | null | boolean | number | string | readonly Amf[] | ReadonlyMap<string, Amf>;
