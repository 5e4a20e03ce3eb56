import { describe, expect, test } from 'vitest'
import { failover, healthy, luaStrings, nearest, weighted } from '../../../../src/toolkit/dns/lua.ts'

const tcp = { tcp: 80 }
const how = "selector='all',backupSelector='all',timeout=2"

test('health', () => {
  expect(healthy(['192.0.2.1', '192.0.2.2'], tcp)).toBe(`ifportup(80,{'192.0.2.1','192.0.2.2'},{${how}})`)
  expect(healthy(['2001:db8::1'], { url: 'https://www.shop.example/healthz', expect: 'ok' })).toBe(
    `ifurlup('https://www.shop.example/healthz',{{'2001:db8::1'}},{${how},stringmatch='ok'})`,
  )
})

/** Lua that goes through groups. */
const first = (groups: string, mark: string) =>
  [
    `local h=${groups} for _,g in ipairs(h) do g[#g+1]='${mark}' local u=ifportup(80,g,{${how}}) local d=false`,
    `for _,a in ipairs(u) do if a=='${mark}' then d=true end end if not d then return u end end`,
    'local r={} for _,g in ipairs(h) do for i=1,#g-1 do r[#r+1]=g[i] end end return r',
  ].join(' ')

test('failover: groups in order', () => {
  const answers = [{ addresses: ['192.0.2.1'] }, { addresses: ['192.0.2.2', '192.0.2.3'] }]
  expect(failover(answers, tcp)).toBe(`;${first("{{'192.0.2.1'},{'192.0.2.2','192.0.2.3'}}", '255.255.255.255')}`)
  expect(failover([{ addresses: ['2001:db8::1'] }], tcp)).toBe(`;${first("{{'2001:db8::1'}}", 'ff0e::1')}`)
  expect(failover(answers, { url: 'http://a/' })).toBe(
    `;return ifurlup('http://a/',{{'192.0.2.1'},{'192.0.2.2','192.0.2.3'}},{${how}})`,
  )
})

describe('weighted', () => {
  test('an answer of several addresses shares its weight; what has none is left out', () => {
    const answers = [
      { addresses: ['192.0.2.1'], weight: 3 },
      { addresses: ['192.0.2.2', '192.0.2.3'], weight: 1 },
      { addresses: ['192.0.2.4'], weight: 0 },
    ]
    expect(weighted(answers, undefined)).toBe("pickwrandom({{3000,'192.0.2.1'},{500,'192.0.2.2'},{500,'192.0.2.3'}})")
  })

  test('of those that are healthy', () => {
    expect(weighted([{ addresses: ['192.0.2.1'], weight: 3 }], tcp)).toBe(
      `;local w={['192.0.2.1']=3} local l={} for _,a in ipairs(ifportup(80,{'192.0.2.1'},{${how}})) do l[#l+1]={w[a],a} end return pickwrandom(l)`,
    )
  })
})

test('nearest: country, continent, everybody, then the rest', () => {
  const answers = [
    { addresses: ['192.0.2.1'], continents: ['EU', 'AF'] },
    { addresses: ['192.0.2.2'], countries: ['DE'], continents: ['NA'] },
    { addresses: ['192.0.2.3'] },
  ]
  const start = ";local g={{'192.0.2.1'},{'192.0.2.2'},{'192.0.2.3'}} local o={} local s={}"
  const add = 'local function p(i) if not s[i] then s[i]=true o[#o+1]=g[i] end end'
  const steps =
    "if country({'DE'}) then p(2) end if continent({'EU','AF'}) then p(1) end if continent({'NA'}) then p(2) end"
  expect(nearest(answers, undefined)).toBe(`${start} ${add} ${steps} p(3) p(1) p(2) return o[1]`)
  expect(nearest(answers, tcp)).toBe(`${start} ${add} ${steps} p(3) p(1) p(2) ${first('o', '255.255.255.255')}`)
})

describe('no text ends early', () => {
  test.each([
    ["a' os.exit() '", "'a'..string.char(39)..' os.exit() '..string.char(39)"],
    ['"', 'string.char(34)'],
    ['\\', 'string.char(92)'],
    ['a\\"b', "'a'..string.char(92)..string.char(34)..'b'"],
    [']]', "']]'"],
  ])('%s', (expected, lua) => {
    expect(healthy(['192.0.2.1'], { url: 'http://a/', expect: expected })).toBe(
      `ifurlup('http://a/',{{'192.0.2.1'}},{${how},stringmatch=${lua}})`,
    )
  })
})

describe('as strings of a record', () => {
  const code = healthy(
    Array.from({ length: 100 }, (_, i) => `192.0.2.${i}`),
    { url: `http://www.shop.example/${'x'.repeat(900)}`, expect: `it's ${'a'.repeat(150)}` },
  )
  const strings = [...luaStrings(code).matchAll(/"([^"]*)"/g)].map(([, text = '']) => text)

  test('each of 255 bytes at most, and no quote or escape in them', () => {
    expect(strings.length).toBeGreaterThan(10)
    expect(Math.max(...strings.map((text) => text.length))).toBeLessThanOrEqual(255)
    expect(strings.join('')).not.toMatch(/["\\]/)
    expect(strings.join('')).toBe(code)
  })

  test('blanks between them, as PowerDNS before 5.0 puts there, stand in no text', () => {
    const texts = (lua: string) => lua.match(/'[^']*'/g)
    expect(texts(strings.join('   '))).toEqual(texts(code))
    for (const text of strings) expect((text.match(/'/g) ?? []).length % 2).toBe(0)
  })
})
