import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noMachines } from '../providers/local-box.ts'
import { type TestDeployment, testDeployment } from '../toolkit/deployment.ts'
import { openPorts } from './scan.ts'

const execute = promisify(execFile)

const small = 'machine: { cpu: 1, memory: 256MiB }'
const blueprint = `
apiVersion: kitbag/v1
name: shop
components:
  web: { source: ./app, runtime: nodejs, start: node server.js, port: 8080, metrics: /metrics, ${small} }
toolkit:
  dns:
    zone: shop.example
    nameservers: 1
    records: [{ name: www, type: A, value: "\${loadBalancer.addresses}" }]
    ${small}
  loadBalancer:
    replicas: 2
    floatingAddress: true
    listeners: [{ port: 80, to: web }]
    ${small}
  monitoring: { interval: 5s }
`

const components = ['web', 'dns', 'loadBalancer', 'monitoring']

describe.skipIf(noMachines)(`the toolkit's own machines${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment

  beforeAll(async () => {
    shop = await testDeployment()
    await shop.deploy(blueprint, 'one')
  })

  afterAll(async () => {
    expect(await shop?.close()).toEqual([])
  })

  test('show a stranger what they are for', async () => {
    expect(await openPorts(shop, components)).toEqual({
      'web-1': [22],
      'dns-1': [22, 53],
      'load-balancer-1': [22, 80],
      'load-balancer-2': [22, 80],
      'monitoring-1': [22],
    })
    const [dns] = await shop.machines('dns')
    const asked = await execute('dig', ['+short', '+notcp', '+timeout=5', `@${dns?.address}`, 'www.shop.example'])
    expect(asked.stdout).toMatch(/^\d+\.\d+\.\d+\.\d+\n$/)
  })

  test('are seen by their monitoring, and it by nobody', async () => {
    expect(await openPorts(shop, components, 'monitoring-1')).toEqual({
      'web-1': [22, 9998],
      'dns-1': [22, 53, 9998],
      'load-balancer-1': [22, 80, 9998],
      'load-balancer-2': [22, 80, 9998],
    })
    expect((await openPorts(shop, ['monitoring'], 'web-1'))['monitoring-1']).toEqual([22])
  })

  test('answer to nobody on other UDP ports', async () => {
    // A closed port that is let in answers "unreachable"; one that is not says nothing.
    const script = `
use strict; use warnings; use Socket;
my ($address, @ports) = @ARGV;
for my $port (@ports) {
  socket(my $socket, PF_INET, SOCK_DGRAM, 0) or die; connect($socket, pack_sockaddr_in($port, inet_aton($address))) or die;
  send($socket, 'x', 0); vec(my $in = '', fileno($socket), 1) = 1; my $heard = select($in, undef, undef, 0.3);
  print "$port\\n" if $heard;
}`
    for (const { address } of (await Promise.all(components.map(shop.machines))).flat()) {
      const ports = ['68', '123', '161', '514', '3904', '5353', '5355', '9094', '40000']
      expect((await execute('perl', ['-e', script, address, ...ports])).stdout).toBe('')
    }
  })
})
