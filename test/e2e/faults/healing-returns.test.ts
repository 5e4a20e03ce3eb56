import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blueprintFolder } from '../../support/blueprint-folder.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { smallApplication } from '../../support/small-application.ts'
import { until } from '../../support/until.ts'
import { noMachines } from '../providers/local-box.ts'

describe.skipIf(noMachines)(`healing, whatever dies${noMachines ? ` (${noMachines})` : ''}`, () => {
  let box: Installation

  beforeAll(async () => {
    box = await startInstallation()
    const { 'blueprint.yaml': text = '', ...files } = smallApplication('hello')
    const healed = `${text}    replicas: 2\ntoolkit:\n  healing: { after: 10s }\n`
    const folder = blueprintFolder({ 'blueprint.yaml': healed, ...files })
    try {
      const operation = await box.finished(await box.deploy('small', folder.blueprint))
      expect(operation.error).toBeNull()
    } finally {
      folder.remove()
    }
  })

  afterAll(() => box?.stop())

  const events = async () =>
    (await box.client.json<{ items: { message: string }[] }>('GET', '/v1/deployments/small/healing/healing/events'))
      .items

  async function replaced(machine: string): Promise<void> {
    await until(async () => {
      const { machines, operation } = await box.show('small')
      const names = machines.filter(({ status }) => status === 'ready').map(({ name }) => name)
      return names.length === 2 && !names.includes(machine) && operation?.status === 'succeeded'
    })
    for (const { address } of (await box.show('small')).machines)
      expect(await (await fetch(`http://${address}:8080/`)).text()).toBe('hello')
    expect(await box.machines()).toHaveLength(2)
  }

  test('a machine that died while the control plane was off: seen after its return, and replaced', async () => {
    const guest = await box.guest('small', 'web-1')
    await box.plane.kill()
    await guest.powerOff()
    await box.plane.start()
    const began = Date.now()
    await until(async () => (await events()).some(({ message }) => message.includes('web-1 is stopped')))
    console.log(`seen ${((Date.now() - began) / 1000).toFixed(1)} s after the return`)
    await replaced('web-1')
  })

  test('a machine that hangs (it runs, and answers nothing): replaced, and destroyed', async () => {
    const hung = await box.guest('small', 'web-2')
    await hung.inNetwork('iptables', '-A', 'INPUT', '-j', 'DROP')
    await replaced('web-2')
    expect((await events()).map(({ message }) => message).join('\n')).toContain('web-2 is silent')
  })
})
