/** Portable image words that an owned machine can be, by the ID and VERSION_ID of its os-release. */
export const images = ['debian-12', 'debian-13']
