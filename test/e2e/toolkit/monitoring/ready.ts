import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { issueLeaf, makeAuthority } from '../../../../src/toolkit/certificates/x509.ts'
import type { Guest } from '../../../support/guest.ts'
import { until } from '../../../support/until.ts'
import { ownAddress } from '../dns-box.ts'
import { guestNamed, type Watched } from './watched.ts'

const day = 86_400_000

/** Alerts that come with Kitbag, by what happens on machines, to receivers. */
export function readyAlerts(watched: Watched): void {
  describe('ready-made alerts', () => {
    const told = (words: string) => [
      watched.hook.hooks.some(({ path, text }) => path === '/ready' && text.includes(words)),
      watched.mail.mails.some(({ text }) => text.includes(words)),
    ]

    beforeAll(async () => {
      const own = await ownAddress(watched.balancer)
      const server = `${own}:${watched.mail.port}`
      const notify = {
        hook: { webhook: { url: `http://${own}:${watched.hook.port}/ready` } },
        ops: { mail: { to: 'ops@watched.example', from: 'kitbag@watched.example', server, tls: false } },
      }
      const alerts = [
        { name: 'certificate-due', for: '0s' },
        { name: 'disk-full', for: '0s', above: 0.1 },
        { name: 'backup-old', for: '0s' },
      ]
      const certificates = { certificates: [{ name: 'web', hosts: ['watched.example'], issuer: 'upload' }] }
      await watched.box.deploy(
        { ...watched.services, certificates, monitoring: watched.section({ notify, alerts }) },
        { components: withBackup(watched.components()) },
      )
    })

    test('a certificate that has five of ninety days left', async () => {
      const now = new Date(Date.now() - 85 * day)
      const authority = {
        ...makeAuthority('Test', 3650 * day, now),
        name: 'Test',
        until: new Date(Date.now() + 3000 * day),
      }
      const leaf = issueLeaf(authority, { hosts: ['watched.example'], lifetime: 90 * day, now })
      const path = '/v1/deployments/watched/certificates/certificates/certificates/web'
      const { status } = await watched.box.plane.request('PUT', path, leaf)
      expect(status).toBe(202)
      await until(() => told('The certificate web on load-balancer-1 ends in 4d 23h').every(Boolean))
    })

    test("a database's certificate that was not renewed", async () => {
      const run = async (command: string) => {
        const { status, stdout } = await watched.box.run('db-1', command)
        expect(status, stdout).toBe(0)
        return stdout
      }
      const file = '/etc/kitbag/db/server.crt'
      const figures = '/var/lib/prometheus/node-exporter/kitbag-certificates.prom'
      await until(async () => (await run(`cat ${figures}`)).includes(`end_time_seconds{certificate="${file}"}`), 60_000)
      const now = new Date(Date.now() - 84 * day)
      const authority = {
        ...makeAuthority('Test', 3650 * day, now),
        name: 'Test',
        until: new Date(Date.now() + day * 999),
      }
      const { certificate } = issueLeaf(authority, { hosts: ['db-1'], lifetime: 90 * day, now })
      await run(
        `cp -p ${file} ${file}.kept; cat >${file} <<'PEM'\n${certificate}PEM\nsystemctl start kitbag-certificate-metrics`,
      )
      try {
        await until(() => told(`The certificate ${file} on db-1 ends in 5d 23h`).every(Boolean), 120_000)
      } finally {
        await run(`mv ${file}.kept ${file}; systemctl start kitbag-certificate-metrics`)
      }
    })

    test('a disk that will be full within a day, whichever of the machine it is', async () => {
      const guest = await guestNamed(watched, 'db-1')
      const disk = await attachDisk(guest, '/srv/data')
      try {
        let [written, at] = [0, 0]
        await until(async () => {
          // Every look of Prometheus finds less room than the one before.
          if (written < 40 && Date.now() - at > 2_000) {
            at = Date.now()
            await guest.run(`dd if=/dev/zero of=/srv/data/${written++} bs=1M count=1 conv=fsync`)
          }
          return told('The disk /srv/data of db-1 is full within a day').every(Boolean)
        }, 240_000)
      } finally {
        await disk.detach()
      }
    })

    test('a database is dumped, restored from it, and missed when that stops', async () => {
      const run = async (command: string) => {
        const { status, stdout } = await watched.box.run('db-1', command)
        if (status !== 0) throw new Error(`${command}: ${status} ${stdout}`)
        return stdout.trim()
      }
      const psql = (text: string) => run(`runuser -u postgres -- psql -X -A -t -d app -c '${text}'`)
      const program = '/usr/local/lib/kitbag/postgresql-backup'
      const dumps = async () => (await run('ls /var/backups/kitbag/db')).split('\n').filter((line) => line !== '')
      await until(async () => (await dumps()).length === 2)
      await psql('create table notes as select 42 as answer')
      await run('systemctl stop kitbag-backup-db.timer')
      // One that has begun goes on.
      await until(
        async () => (await run('systemctl show --value --property=ActiveState kitbag-backup-db')) === 'inactive',
      )
      await run(`${program} dump db`)
      expect(await dumps()).toHaveLength(2)
      expect(await run('stat -c "%a %U" /var/backups/kitbag/db /var/backups/kitbag/db/*.dump | sort -u')).toBe(
        '600 root\n700 root',
      )
      await psql('drop table notes')
      expect(await run(`${program} restore db`)).toContain('restored from')
      expect(await psql('select answer from notes')).toBe('42')
      await until(() => told('The last dump of db on db-1 is').every(Boolean))
      const { series } = await watched.box.ask<{ series: { samples: { value: number }[] }[] }>(
        '/query?query=backup_size_bytes',
      )
      expect(series[0]?.samples[0]?.value).toBeGreaterThan(500)
      await watched.deploy()
      const left = 'systemctl is-active kitbag-backup-db.timer || ls /var/backups/kitbag/db'
      expect((await run(left)).split('\n')).toEqual(['inactive', ...(await dumps())])
    })
  })
}

/** A dump every five seconds, of which two are kept. */
function withBackup(components: object): object {
  const { db, ...others } = components as Record<string, object>
  return { ...others, db: { ...db, settings: { backup: { schedule: '*:*:0/5', keep: 2 } } } }
}

/** A small disk of its own for a machine, as a cloud attaches one. */
async function attachDisk(guest: Guest, path: string): Promise<{ detach(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'kitbag-disk-'))
  const image = join(folder, 'image')
  await writeFile(image, '')
  await truncate(image, 64 * 2 ** 20)
  execFileSync('mkfs.ext4', ['-q', image])
  const device = execFileSync('losetup', ['--find', '--show', image]).toString().trim()
  const detach = async () => {
    await guest.run(`umount ${path}; rm -f /dev/test-disk`)
    execFileSync('losetup', ['--detach', device])
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const minor = device.replace('/dev/loop', '')
    await guest.run(`mknod /dev/test-disk b 7 ${minor} && mkdir -p ${path} && mount -t ext4 /dev/test-disk ${path}`)
  } catch (error) {
    await detach().catch(() => undefined)
    throw error
  }
  return { detach }
}
