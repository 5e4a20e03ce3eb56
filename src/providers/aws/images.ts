import { DescribeImagesCommand, type Image } from '@aws-sdk/client-ec2'
import { KitbagError } from '../../model/errors.ts'
import type { Ec2 } from './client.ts'
import type { AwsSettings } from './settings.ts'

const debian = '136693071363'
const canonical = '099720109477'

/** The publishers' own accounts and names: anybody can publish an image of any name, but not as them. */
const official: Record<string, { owner: string; name: (architecture: string) => string; user: string }> = {
  'debian-12': { owner: debian, name: (architecture) => `debian-12-${architecture}-2*`, user: 'admin' },
  'debian-13': { owner: debian, name: (architecture) => `debian-13-${architecture}-2*`, user: 'admin' },
  'ubuntu-22.04': { owner: canonical, name: ubuntu('jammy-22.04'), user: 'ubuntu' },
  'ubuntu-24.04': { owner: canonical, name: ubuntu('noble-24.04'), user: 'ubuntu' },
}

function ubuntu(release: string) {
  return (architecture: string) => `ubuntu/images/hvm-ssd*/ubuntu-${release}-${architecture}-server-2*`
}

export const imageWords = Object.keys(official)

/** One image of one architecture. */
export interface AwsImage {
  word: string
  id: string
  user: string
  /** Device name of its root disk. */
  rootDevice: string
  /** GiB of its root disk. */
  disk: number
  /** In EC2's words. */
  architecture: string
}

const ec2Words = { amd64: 'x86_64', arm64: 'arm64' }

/** The newest image of every word, the cloud's own words included. What a publisher does not have is left out. */
export async function findImages(ec2: Ec2, { architecture, images: own }: AwsSettings): Promise<AwsImage[]> {
  const words = Object.entries(official)
  const filters = [
    { Name: 'name', Values: words.map(([, { name }]) => name(architecture)) },
    { Name: 'architecture', Values: [ec2Words[architecture]] },
    { Name: 'state', Values: ['available'] },
  ]
  const published = await ec2.send(new DescribeImagesCommand({ Owners: [debian, canonical], Filters: filters }))
  const found = words.flatMap(([word, { owner, name, user }]) => {
    const pattern = matcher(name(architecture))
    const newest = (published.Images ?? [])
      .filter(({ Name, OwnerId }) => OwnerId === owner && pattern.test(Name ?? ''))
      .sort((a, b) => (b.CreationDate ?? '').localeCompare(a.CreationDate ?? ''))[0]
    return newest ? [toImage(word, user, newest)] : []
  })
  const given = Object.entries(own)
  if (given.length === 0) return found
  const ids = given.map(([, { id }]) => id)
  const { Images: theirs = [] } = await ec2.send(
    new DescribeImagesCommand({ Filters: [{ Name: 'image-id', Values: ids }] }),
  )
  const wanted = given.flatMap(([word, { id, user }]) => {
    const image = theirs.find(({ ImageId }) => ImageId === id)
    return image ? [toImage(word, user, image)] : []
  })
  return [...wanted, ...found.filter(({ word }) => !Object.hasOwn(own, word))]
}

function toImage(word: string, user: string, image: Image): AwsImage {
  const { ImageId: id = '', RootDeviceName: rootDevice = '/dev/xvda', BlockDeviceMappings = [] } = image
  const root = BlockDeviceMappings.find(({ DeviceName }) => DeviceName === rootDevice)
  return { word, id, user, rootDevice, disk: root?.Ebs?.VolumeSize ?? 0, architecture: image.Architecture ?? '' }
}

/** The image of a word, or of one of their ids. Throws `not-supported`: there is none, or it is for other machines. */
export function imageOf(images: AwsImage[], word: string, wanted: AwsSettings['architecture']): AwsImage {
  const image = images.find((one) => one.word === word) ?? images.find(({ id }) => id === word)
  if (!image) throw unknownImage(word, images)
  if (image.architecture === ec2Words[wanted]) return image
  throw new KitbagError('not-supported', `aws: the image ${word} is for ${image.architecture}, not ${wanted}`, {
    fix: "Name another image under images in the cloud's settings, or another architecture.",
  })
}

function matcher(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`)
}

function unknownImage(word: string, images: AwsImage[]): KitbagError {
  const known = images.map((one) => one.word).join(', ')
  return new KitbagError('not-supported', `aws: there is no image "${word}"; known are ${known}`, {
    fix: "Write one of them as the machine's image, or name your own under images in the cloud's settings.",
  })
}
