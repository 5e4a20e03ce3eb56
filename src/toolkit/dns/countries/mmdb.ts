/**
 * The part of MaxMind's database format 2.0 that country databases need: a binary tree over addresses whose leaves are offsets into a
 * section of values, and a description at the end (https://maxmind.github.io/MaxMind-DB/).
 */
export type MmdbValue = string | number | bigint | boolean | Buffer | MmdbValue[] | { [key: string]: MmdbValue }

export interface Mmdb {
  bytes: Buffer
  nodes: number
  /** Bits of one record; a node has two. */
  recordSize: number
  /** Of the addresses: 4, or 6 with IPv4 in it. */
  version: number
  /** Where the values begin in `bytes`. */
  values: number
  /** Where they end, and the description's mark begins. */
  end: number
}

const mark = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
/** Zero bytes between tree and values. */
const gap = 16

/** Finds a database's parts. Throws RangeError saying what is wrong. */
export function openMmdb(bytes: Buffer): Mmdb {
  const end = bytes.lastIndexOf(mark)
  if (end < 0) throw new RangeError('it is no database in the MaxMind format (.mmdb)')
  const description = decode(bytes, end + mark.length, end + mark.length) as Record<string, MmdbValue>
  const word = (name: string): number => Number(description?.[name])
  const [nodes, recordSize, version] = [word('node_count'), word('record_size'), word('ip_version')]
  if (!Number.isInteger(nodes) || ![24, 28, 32].includes(recordSize) || ![4, 6].includes(version))
    throw new RangeError('its description is not that of a MaxMind database of format 2')
  const values = (nodes * recordSize) / 4 + gap
  if (values > end) throw new RangeError('it is not whole')
  return { bytes, nodes, recordSize, version, values, end }
}

/** A record of the tree: below `nodes` the next node, `nodes` itself nothing, above that the place of a value. */
export function readRecord({ bytes, recordSize }: Mmdb, node: number, side: 0 | 1): number {
  const at = (node * recordSize) / 4
  if (recordSize === 24) return bytes.readUIntBE(at + 3 * side, 3)
  if (recordSize === 32) return bytes.readUInt32BE(at + 4 * side)
  const middle = bytes[at + 3] ?? 0
  return side === 0
    ? ((middle >> 4) << 24) | bytes.readUIntBE(at, 3)
    : ((middle & 15) << 24) | bytes.readUIntBE(at + 4, 3)
}

/** Puts a record into the tree. Throws RangeError where it has too few bits for it. */
export function writeRecord({ bytes, recordSize }: Mmdb, node: number, side: 0 | 1, value: number): void {
  const at = (node * recordSize) / 4
  if (value >= 2 ** recordSize) throw new RangeError('its tree has no room for other values')
  if (recordSize === 24) bytes.writeUIntBE(value, at + 3 * side, 3)
  else if (recordSize === 32) bytes.writeUInt32BE(value, at + 4 * side)
  else {
    const middle = bytes[at + 3] ?? 0
    bytes[at + 3] = side === 0 ? ((value >> 24) << 4) | (middle & 15) : (middle & 240) | (value >> 24)
    bytes.writeUIntBE(value & 0xffffff, at + 4 * side, 3)
  }
}

/** Places of all values that the tree names, each once, counted from where values begin. Throws RangeError for one that is outside. */
export function leaves(mmdb: Mmdb): Set<number> {
  const { nodes, values, end } = mmdb
  const found = new Set<number>()
  for (let node = 0; node < nodes; node++) {
    for (const side of [0, 1] as const) {
      const record = readRecord(mmdb, node, side)
      if (record <= nodes) continue
      const offset = record - nodes - gap
      if (offset < 0 || values + offset >= end) throw new RangeError('its tree names a value that is not in it')
      found.add(offset)
    }
  }
  return found
}

/** The record that stands for a value's place. */
export const recordOf = ({ nodes }: Mmdb, offset: number): number => nodes + gap + offset

export function readValue({ bytes, values }: Mmdb, offset: number): MmdbValue {
  return decode(bytes, values + offset, values)
}

/** Maps in maps are no deeper than this in any database there is. */
const deepest = 32
/** Parts of one value: names in all languages, subdivisions and the like are some hundred. */
const most = 10_000

/** The value at a place; pointers count from `base`. Throws RangeError where bytes are missing or mean nothing. */
function decode(bytes: Buffer, start: number, base: number): MmdbValue {
  let at = start
  let count = 0
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('it is not whole')
    at += length
    return bytes.subarray(at - length, at)
  }
  const number = (length: number) => (length === 0 ? 0 : take(length).readUIntBE(0, length))
  const control = (): [type: number, size: number] => {
    const first = number(1)
    const type = first >> 5 || 7 + number(1)
    const size = first & 31
    if (type === 1 || size < 29) return [type, size]
    return [type, size === 29 ? 29 + number(1) : size === 30 ? 285 + number(2) : 65_821 + number(3)]
  }
  const pointer = (bits: number): number => {
    const high = bits & 7
    const size = bits >> 3
    if (size === 3) return number(4)
    const offset = [0, 2048, 526_336][size] ?? 0
    return high * 256 ** (size + 1) + number(size + 1) + offset
  }
  const next = (depth: number): MmdbValue => {
    if (depth > deepest || ++count > most) throw new RangeError('its values are nested without end')
    const [type, size] = control()
    switch (type) {
      case 1: {
        const target = base + pointer(size)
        const after = at
        at = target
        const value = next(depth + 1)
        at = after
        return value
      }
      case 2:
        return take(size).toString('utf8')
      case 3:
        return take(8).readDoubleBE()
      case 4:
        return take(size)
      case 5:
      case 6:
        return number(size)
      case 7: {
        const map: Record<string, MmdbValue> = Object.create(null)
        for (let i = 0; i < size; i++) {
          const key = next(depth + 1)
          if (typeof key !== 'string') throw new RangeError('it holds a map whose keys are no texts')
          map[key] = next(depth + 1)
        }
        return map
      }
      case 8:
        return size === 0 ? 0 : take(size).readIntBE(0, size)
      case 9:
      case 10:
        return BigInt(`0x${take(size).toString('hex') || '0'}`)
      case 11:
        return Array.from({ length: size }, () => next(depth + 1))
      case 14:
        return size !== 0
      case 15:
        return take(4).readFloatBE()
      default:
        throw new RangeError(`it holds a value of the unknown type ${type}`)
    }
  }
  return next(0)
}

/** Values to write: maps, lists and texts have less than 29 parts. Whole numbers say how many bytes their type has. */
export type Written = string | { bytes: 2 | 4 | 8; number: number } | Written[] | { [key: string]: Written }

const numberTypes = { 2: 5, 4: 6, 8: 9 }

/** A value as the format has it. */
export function encode(value: Written): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(2, value.length), Buffer.from(value)])
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)])
  if (isNumber(value)) {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(BigInt(value.number))
    return Buffer.concat([control(numberTypes[value.bytes], value.bytes), bytes.subarray(8 - value.bytes)])
  }
  const entries = Object.entries(value).flatMap(([key, member]) => [encode(key), encode(member)])
  return Buffer.concat([control(7, entries.length / 2), ...entries])
}

function isNumber(value: object): value is { bytes: 2 | 4 | 8; number: number } {
  return 'bytes' in value && 'number' in value
}

function control(type: number, size: number): Buffer {
  return type < 8 ? Buffer.from([(type << 5) | size]) : Buffer.from([size, type - 7])
}

/** A database of the other's tree and of values, with a description of its own: libmaxminddb refuses one that lacks a word. */
export function assemble({ bytes, nodes, recordSize, version, values: start }: Mmdb, values: Buffer[]): Buffer {
  const description = encode({
    binary_format_major_version: { bytes: 2, number: 2 },
    binary_format_minor_version: { bytes: 2, number: 0 },
    // 0 is refused.
    build_epoch: { bytes: 8, number: 1 },
    database_type: 'Country',
    description: { en: 'Countries' },
    ip_version: { bytes: 2, number: version },
    languages: ['en'],
    node_count: { bytes: 4, number: nodes },
    record_size: { bytes: 2, number: recordSize },
  })
  return Buffer.concat([bytes.subarray(0, start - gap), Buffer.alloc(gap), ...values, mark, description])
}

/** A database that knows no address: a tree of one node that leads nowhere. */
export function emptyMmdb(): Buffer {
  const recordSize = 24
  const tree = {
    bytes: Buffer.alloc(recordSize / 4 + gap),
    nodes: 1,
    recordSize,
    version: 6,
    values: recordSize / 4 + gap,
  }
  const mmdb: Mmdb = { ...tree, end: tree.bytes.length }
  for (const side of [0, 1] as const) writeRecord(mmdb, 0, side, mmdb.nodes)
  return assemble(mmdb, [])
}
