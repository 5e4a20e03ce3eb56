/** Accounts of Debian, of Canonical, and of somebody who publishes images of their names. */
const [debian, canonical, stranger] = ['136693071363', '099720109477', '666666666666']

interface PublishedImage {
  id: string
  name: string
  owner: string
  arm64?: true
  created: string
  /** What a machine of it boots here, and its login user. */
  boots?: { image: string; user: string }
}

const ubuntu = (release: string, disk: string, date: string, architecture = 'amd64') =>
  `ubuntu/images/${disk}/ubuntu-${release}-${architecture}-server-${date}`

const bookworm = { image: 'debian-12', user: 'admin' }
const trixie = { image: 'debian-13', user: 'admin' }

/** What the test cloud's region offers. */
export const published: PublishedImage[] = [
  {
    id: 'ami-0d12000000000001',
    name: 'debian-12-amd64-20250814-2204',
    owner: debian,
    created: '2025-08-14T22:14:00Z',
    boots: bookworm,
  },
  {
    id: 'ami-0d12000000000002',
    name: 'debian-12-amd64-20251006-2257',
    owner: debian,
    created: '2025-10-06T23:04:00Z',
    boots: bookworm,
  },
  {
    id: 'ami-0d12000000000003',
    name: 'debian-12-backports-amd64-20251111-2295',
    owner: debian,
    created: '2025-11-11T23:04:00Z',
  },
  {
    id: 'ami-0d12000000000004',
    name: 'debian-12-arm64-20251006-2257',
    owner: debian,
    arm64: true,
    created: '2025-10-06T23:05:00Z',
  },
  {
    id: 'ami-0d13000000000001',
    name: 'debian-13-amd64-20251006-2257',
    owner: debian,
    created: '2025-10-06T23:06:00Z',
    boots: trixie,
  },
  {
    id: 'ami-0d13000000000002',
    name: 'debian-13-arm64-20251006-2257',
    owner: debian,
    arm64: true,
    created: '2025-10-06T23:07:00Z',
  },
  {
    id: 'ami-0bad000000000001',
    name: 'debian-13-amd64-20261231-9999',
    owner: stranger,
    created: '2026-12-31T23:59:00Z',
  },
  {
    id: 'ami-0c22000000000001',
    name: ubuntu('jammy-22.04', 'hvm-ssd', '20251015'),
    owner: canonical,
    created: '2025-10-15T10:00:00Z',
  },
  {
    id: 'ami-0c24000000000001',
    name: ubuntu('noble-24.04', 'hvm-ssd-gp3', '20251022'),
    owner: canonical,
    created: '2025-10-22T10:00:00Z',
  },
  {
    id: 'ami-0c24000000000002',
    name: ubuntu('noble-24.04', 'hvm-ssd-gp3', '20251022', 'arm64'),
    owner: canonical,
    arm64: true,
    created: '2025-10-22T10:01:00Z',
  },
]

/** The same in the words of moto's `MOTO_AMIS_PATH`. */
export function motoImages(): Record<string, unknown>[] {
  return published.map(({ id, name, owner, arm64, created }) => ({
    ami_id: id,
    name,
    owner_id: owner,
    description: name,
    architecture: arm64 ? 'arm64' : 'x86_64',
    creation_date: created,
    public: true,
    state: 'available',
    image_type: 'machine',
    image_location: `${owner}/${name}`,
    virtualization_type: 'hvm',
    hypervisor: 'xen',
    root_device_type: 'ebs',
    root_device_name: owner === canonical ? '/dev/sda1' : '/dev/xvda',
    sriov: 'simple',
  }))
}
