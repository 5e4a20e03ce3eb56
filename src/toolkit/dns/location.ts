/** RFC 1876: degrees, minutes, seconds of latitude and longitude, altitude, then size and precisions, in metres. */
const angle = String.raw`(\d{1,3})(?: (\d{1,2})(?: (\d{1,2}(?:\.\d{1,3})?))?)?`
const metres = String.raw`(\d{1,8}(?:\.\d{1,2})?)m?`
const pattern = new RegExp(
  `^${angle} ([NS]) ${angle} ([EW]) (-?)${metres}(?: ${metres}(?: ${metres}(?: ${metres})?)?)?$`,
  'i',
)

/** What RFC 1876, 3, takes for size, horizontal and vertical precision that are not given. */
const usual = ['1.00', '10000.00', '10.00']

/** The content of a LOC record with every field there. Throws RangeError when it is none. */
export function location(fields: string[]): string {
  const match = pattern.exec(fields.join(' '))
  const parts = match?.slice(1) ?? []
  const [north, east] = [parts.slice(0, 3), parts.slice(4, 7)].map((angles) => angles.map((one) => Number(one ?? 0)))
  const height = Number(parts[9] ?? 0) * (parts[8] === '-' ? -1 : 1)
  const sizes = usual.map((one, i) => parts[10 + i] ?? one)
  const fits =
    match !== null &&
    isAngle(north, 90) &&
    isAngle(east, 180) &&
    height >= -100_000 &&
    height <= 42_849_672.95 &&
    sizes.every((size) => Number(size) <= 90_000_000)
  if (!fits) throw new RangeError('must be a location such as 52 22 23.000 N 4 53 32.000 E -2.00m')
  const side = (angles: number[], letter = '') =>
    `${angles[0]} ${angles[1]} ${(angles[2] ?? 0).toFixed(3)} ${letter.toUpperCase()}`
  const lengths = [height, ...sizes.map(Number)].map((length) => `${length.toFixed(2)}m`)
  return `${side(north ?? [], parts[3])} ${side(east ?? [], parts[7])} ${lengths.join(' ')}`
}

function isAngle([degrees = 0, minutes = 0, seconds = 0]: number[] = [], most: number): boolean {
  return minutes < 60 && seconds < 60 && degrees + minutes / 60 + seconds / 3600 <= most
}
