/**
 * Gives the memory of a buffer back now. Left to the garbage collector, pieces of a stream pile up to some 64 MB first, because it
 * looks at what lies outside its heap that late. Only for a buffer that nobody else uses and that shares no memory with others.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  // Smaller ones may lie in a pool.
  if (byteLength > 0 && buffer.byteLength >= ownMemoryBytes && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Node gives a buffer of this size memory of its own, whatever the size of its pool. */
export const ownMemoryBytes = 64 * 1024;
