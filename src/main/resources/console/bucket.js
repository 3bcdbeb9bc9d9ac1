// The bucket of a user, as the service computes it: MurmurHash3 x86 32 of "<salt>:<user>", modulo 10,000.

const encoder = new TextEncoder();

/** MurmurHash3 x86 32 with seed 0 of a string's UTF-8 bytes, unsigned. @param {string} text */
export function murmur3(text) {
  const bytes = encoder.encode(text);
  const blocks = bytes.length >> 2;
  let h = 0;
  for (let i = 0; i < blocks; i++) {
    const at = i * 4;
    let k = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    k = Math.imul(k, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let k = 0;
  const tail = blocks * 4;
  switch (bytes.length & 3) {
    case 3:
      k ^= bytes[tail + 2] << 16;
    // falls through
    case 2:
      k ^= bytes[tail + 1] << 8;
    // falls through
    case 1:
      k ^= bytes[tail];
      k = Math.imul(k, 0xcc9e2d51);
      k = (k << 15) | (k >>> 17);
      h ^= Math.imul(k, 0x1b873593);
  }
  h ^= bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Returns the bucket of a user, 0 to 9999. */
export function bucket(salt, user) {
  return murmur3(salt + ":" + user) % 10000;
}

/** Tells whether a percentage includes a user. */
export function isIn(salt, user, percentage) {
  return bucket(salt, user) < Math.round(percentage * 100);
}
