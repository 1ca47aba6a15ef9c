// Arrays of numbers as the service packs them: base64 of little-endian values.

const KINDS = { f4: Float32Array, i4: Int32Array, i2: Int16Array };

/** Numbers from base64; `kind` is one of `f4`, `i4`, `i2`. */
export function unpacked(text, kind) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new KINDS[kind](bytes.buffer);
}
