import { createHash } from 'node:crypto'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeState } from '../../../src/lib/state-file.ts'
import { guestSources } from '../../../src/providers/local/apt-sources.ts'
import { readBoxApt } from '../../../src/providers/local/box-apt.ts'
import { ensureImage } from '../../../src/providers/local/build-image.ts'
import { imageId, suites } from '../../../src/providers/local/images.ts'
import { withLock } from '../../../src/providers/local/lock.ts'
import { run } from '../../../src/providers/local/run.ts'

/** An image as a cloud has it: the base, and the layer over it with what a cloud adds. */
export interface CloudImage {
  base: string
  /** What an overlay takes as its lower folders. */
  lower: string
}

/** Debian's cloud-init, waiting for its first boot; no login user yet, since cloud-init makes it. */
const customize = `set -eu
layer=$1 base=$2
mkdir -p "$layer/upper" "$layer/work" "$layer/root"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
mkdir -p "$layer/root/run/systemd/resolve"
: > "$layer/root/run/systemd/resolve/stub-resolv.conf"
mount --bind /etc/resolv.conf "$layer/root/run/systemd/resolve/stub-resolv.conf"
mkdir -p "$layer/root/etc/apt/sources.list.d"
cat > "$layer/root/etc/apt/sources.list.d/debian.sources" < "$layer/sources"
cat > "$layer/root/etc/apt/apt.conf.d/90mirror" < "$layer/config"
chroot "$layer/root" /bin/sh -eu <<'IN'
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
apt-get update -qq
apt-get install -y -qq --no-install-recommends cloud-init >/dev/null
userdel --remove debian 2>/dev/null
rm -f /etc/sudoers.d/90-cloud-users
printf '%s\\n' 'datasource_list: [NoCloud]' 'network: {config: disabled}' 'apt_preserve_sources_list: true' > /etc/cloud/cloud.cfg.d/95_box.cfg
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /etc/apt/sources.list.d/debian.sources /etc/apt/apt.conf.d/90mirror
IN
umount "$layer/root/run/systemd/resolve/stub-resolv.conf"
rm -rf "$layer/root/run/systemd"
umount "$layer/root"
rm -rf "$layer/work" "$layer/root" "$layer/sources" "$layer/config"
`

/** Makes sure that the image of a word is in the cache; other processes that make it are waited for. */
export async function ensureCloudImage(cache: string, word: string): Promise<CloudImage> {
  const id = imageId(word)
  const base = await ensureImage(cache, id, () => {})
  const digest = createHash('sha256').update(customize).digest('hex').slice(0, 12)
  const layer = join(cache, 'cloud-images', `${id}-${digest}`)
  const image = { base, lower: `${join(layer, 'upper')}:${base}` }
  if (await exists(layer)) return image
  await withLock(
    `${layer}.lock`,
    async () => {
      if (!(await exists(layer))) await build(layer, base, word)
    },
    600,
  )
  return image
}

async function build(layer: string, base: string, word: string): Promise<void> {
  const temporary = `${layer}.building`
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true, mode: 0o755 })
  const { mirrors, config } = await readBoxApt()
  await writeState(join(temporary, 'sources'), guestSources(mirrors, suites[word] ?? ''))
  await writeState(join(temporary, 'config'), config)
  const own = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  await run('setpriv', ['--pdeathsig', 'KILL', ...own, 'sh', '-c', customize, 'build', temporary, base], {
    timeout: 600_000,
  })
  await rename(temporary, layer)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
