import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { type ShellText, sh } from '../lib/sh.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineAccess } from '../model/machine.ts'
import type { Artifact } from '../model/program.ts'
import type { Reach } from '../model/reach.ts'

/** A blob's bytes, in chunks of any size. */
export type BlobSource = (digest: string) => AsyncIterable<Uint8Array>

/** Exit status of the upload's script when the bytes that arrived are not the ones that were sent for. */
const wrongDigest = 65

/**
 * Brings the artifacts that the machine lacks onto it; one round trip when it has them all. A file gets its name only when it is whole
 * and its sha256 is right, so that a cut upload leaves nothing and two at once do not meet. Throws `resource-failed`.
 */
export async function uploadArtifacts(
  reach: Reach,
  machine: MachineAccess,
  artifacts: Artifact[],
  { blobs, signal }: { blobs: BlobSource; signal?: AbortSignal },
): Promise<void> {
  if (artifacts.length === 0) return
  const missing = await missingOn(reach, machine, artifacts, signal)
  for (const artifact of missing) await upload(reach, machine, artifact, { blobs, ...(signal && { signal }) })
}

async function missingOn(
  reach: Reach,
  machine: MachineAccess,
  artifacts: Artifact[],
  signal?: AbortSignal,
): Promise<Artifact[]> {
  const command = sh`${artifacts.map(({ digest, path, unless }) =>
    unless === undefined
      ? sh`[ -f ${path} ] || echo ${path};`
      : sh`[ -f ${path} ] || printf '%s  %s\\n' ${digest} ${unless} | sha256sum -c --status 2>/dev/null || echo ${path};`,
  )}`
  const { status, stdout, stderr } = await reach.exec(machine, command, { root: true, ...(signal && { signal }) })
  if (status !== 0) {
    const reason = stderr.trim() || `status ${status}`
    throw new KitbagError('resource-failed', `${machine.name}: cannot look for uploaded files: ${reason}`, {
      machine: machine.name,
      output: stderr,
    })
  }
  const missing = new Set(stdout.split('\n'))
  return artifacts.filter(({ path }) => missing.has(path))
}

async function upload(
  reach: Reach,
  machine: MachineAccess,
  { digest, path, bytes }: Artifact,
  { blobs, signal }: { blobs: BlobSource; signal?: AbortSignal },
): Promise<void> {
  const stdin =
    bytes === undefined
      ? Readable.from(blobs(digest), { objectMode: false })
      : Readable.from([bytes], { objectMode: false }).pipe(createGzip({ level: 1 }))
  const unpack = bytes === undefined ? sh`cat` : sh`gzip -dc`
  const { status, stderr } = await reach.exec(machine, uploadScript(path, digest, unpack), {
    root: true,
    stdin,
    ...(signal && { signal }),
  })
  if (status === 0) return
  const reason = status === wrongDigest ? 'what arrived has another sha256' : stderr.trim() || `status ${status}`
  throw new KitbagError('resource-failed', `${machine.name}: the upload of ${digest.slice(0, 16)} failed: ${reason}`, {
    machine: machine.name,
    resource: `artifact:${digest}`,
    output: stderr,
  })
}

/** What a killed script left, and texts that a killed program left, are removed a day later. */
function uploadScript(path: string, digest: string, unpack: ShellText) {
  const folder = posix.dirname(path)
  return sh`umask 077
mkdir -p ${folder} || exit 1
find ${folder} -maxdepth 1 '(' -name '*.part.*' -o -name '*.text' ')' -mtime +0 -delete
path=${path}
part=$path.part.$$
trap 'rm -f "$part"' EXIT
trap 'exit 1' HUP INT TERM
${unpack} > "$part" || exit 1
sum=$(sha256sum < "$part") || exit 1
[ "\${sum%% *}" = ${digest} ] || exit ${wrongDigest}
sync "$part" || exit 1
mv -f "$part" "$path"`
}
