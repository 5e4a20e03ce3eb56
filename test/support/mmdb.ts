type Value = string | number | { [key: string]: Value }

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A value as MaxMind's format writes it; texts and maps of less than 29. */
function encoded(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([Buffer.from([(2 << 5) | value.length]), Buffer.from(value)])
  if (typeof value === 'number') return Buffer.concat([Buffer.from([(6 << 5) | 4]), number(value)])
  const entries = Object.entries(value)
  return Buffer.concat([
    Buffer.from([(7 << 5) | entries.length]),
    ...entries.flatMap(([key, member]) => [encoded(key), encoded(member)]),
  ])
}

/** A database of IPv4 networks (`84.160.0.0/11`) with a value each, in records of 24, 28 or 32 bits. */
export function mmdbOf(networks: Record<string, Value>, recordSize: 24 | 28 | 32 = 24): Buffer {
  const tree: (number | Buffer | undefined)[][] = [[]]
  for (const [network, value] of Object.entries(networks)) {
    const [address = '', length = '32'] = network.split('/')
    const bits = address.split('.').flatMap((byte) => [...Number(byte).toString(2).padStart(8, '0')].map(Number))
    let node = 0
    for (const [i, bit] of bits.slice(0, Number(length)).entries()) {
      const at = tree[node] as (number | Buffer | undefined)[]
      if (i === Number(length) - 1) at[bit] = encoded(value)
      else {
        if (typeof at[bit] !== 'number') at[bit] = tree.push([]) - 1
        node = at[bit] as number
      }
    }
  }
  const values: Buffer[] = []
  const place = (value: Buffer) => values.slice(0, values.push(value) - 1).reduce((sum, { length }) => sum + length, 0)
  const record = (value: number | Buffer | undefined) =>
    value === undefined ? tree.length : typeof value === 'number' ? value : tree.length + 16 + place(value)
  const nodes = tree.map(([left, right]) => {
    const [a, b] = [number(record(left)), number(record(right))]
    if (recordSize === 32) return Buffer.concat([a, b])
    const middle = recordSize === 28 ? [Buffer.from([((a[0] ?? 0) << 4) | (b[0] ?? 0)])] : []
    return Buffer.concat([a.subarray(1), ...middle, b.subarray(1)])
  })
  const description = encoded({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: 'Test',
    ip_version: 4,
    node_count: tree.length,
    record_size: recordSize,
  })
  const mark = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
  return Buffer.concat([...nodes, Buffer.alloc(16), ...values, mark, description])
}
